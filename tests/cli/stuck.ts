import { Program } from "./program.ts";
import { IS_ROOT, run, sh, signalIfThere, toolCommand } from "./tools.ts";

/** What keeps a process from exiting on SIGKILL. */
export type Hold = "traced" | "traced at its exit" | "frozen";

/** A program that keeps a process from exiting, until the end of the scope or of the tests. */
export interface Held extends AsyncDisposable {
  /** The state of the process after SIGKILL, as the monitor reports it. */
  readonly state: string;
}

/** Keeps a process from exiting: `await using _ = await hold(pid, "traced")`. */
export async function hold(pid: number, how: Hold): Promise<Held> {
  const holder = new Program(how === "frozen" ? freezerOf(pid) : tracerOf(pid, how), { stdin: "piped" });
  try {
    await holder.waitFor(/^held$/);
  } catch (error) {
    await holder[Symbol.asyncDispose]();
    throw error;
  }
  const tracer = `traced by pid ${holder.process.pid}`;
  const state = {
    "traced": `zombie, ${tracer}`,
    "traced at its exit": `stopped, ${tracer}`,
    "frozen": "uninterruptible sleep",
  };
  return { state: state[how], [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose]() };
}

/** Returns the ways to hold a process that work here. Some machines forbid tracing, and few have cgroups v1. */
export async function possibleHolds(): Promise<Hold[]> {
  const sleeper = new Deno.Command("sleep", { args: ["1000"], stdin: "null" }).spawn();
  try {
    // Its stdin is empty, so it exits at once.
    const mayTrace = (await run(tracerOf(sleeper.pid, "traced"))).code === 0;
    return [
      ...mayTrace ? ["traced", "traced at its exit"] as const : [],
      ...FREEZER === null ? [] : ["frozen"] as const,
    ];
  } finally {
    signalIfThere(sleeper.pid, "SIGKILL");
    await sleeper.status;
  }
}

function tracerOf(pid: number, how: Hold): string[] {
  const PTRACE_O_TRACEEXIT = 0x40;
  return [...toolCommand("tests/cli/tracer.ts", ["-A"]), `${pid}`, how === "traced" ? "0" : `${PTRACE_O_TRACEEXIT}`];
}

/** The mount of cgroups v1 that can be frozen, where SIGKILL ends no process. Null if there is none. */
const FREEZER = await findFreezer();

async function findFreezer(): Promise<string | null> {
  if (!IS_ROOT) return null;
  const { stdout } = await run(["cat", "/proc/self/mountinfo"]);
  const mount = /^(?:\S+ ){4}(\S+) .* - cgroup \S+ \S*\bfreezer\b/m.exec(stdout)?.[1];
  return mount !== undefined && (await run(["test", "-w", mount])).code === 0 ? mount : null;
}

function freezerOf(pid: number): string[] {
  const script = `mkdir "$1" && cd "$1" || exit
release() {
  echo THAWED > freezer.state
  while read -r pid; do echo "$pid" > ../cgroup.procs; done < cgroup.procs
  cd ..
  until rmdir "$1"; do sleep 0.05; done
}
trap 'release "$1"' EXIT
trap exit TERM
echo "$2" > cgroup.procs
echo FROZEN > freezer.state
until [ "$(cat freezer.state)" = FROZEN ]; do sleep 0.01; done
echo held
read -r line`;
  return [...sh(script), "sh", `${FREEZER}/ncolony-test-${crypto.randomUUID()}`, `${pid}`];
}
