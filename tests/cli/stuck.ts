import { Program } from "./program.ts";
import { IS_ROOT, run, sh, signalIfThere, toolCommand } from "./tools.ts";

/** What keeps a process from ending on SIGKILL. */
export type Hold = "traced" | "traced at its exit" | "frozen";

/** A program that keeps a process from ending, and lets it go at the end of the scope, or when the tests end. */
export interface Held extends AsyncDisposable {
  /** What the monitor says of the process's state once it got SIGKILL. */
  readonly state: string;
}

/** Keeps a process from ending: `await using _ = await hold(pid, "traced")`. */
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

/** The ways to hold a process that work here: some machines let nobody trace a stranger, and few have cgroups of old. */
export async function possibleHolds(): Promise<Hold[]> {
  const sleeper = new Deno.Command("sleep", { args: ["1000"], stdin: "null" }).spawn();
  try {
    // Its stdin is empty, so it ends at once.
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

/** Where cgroups of version 1 can be frozen, in which SIGKILL ends nobody; null where that cannot be done. */
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
