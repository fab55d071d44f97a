import { Program } from "./program.ts";
import { hasCommand, HEEDING, PATIENCE_MS, run, signalIfThere, toolCommand } from "./tools.ts";

/** The permissions that the reaper needs. */
export const REAPER_PERMISSIONS: readonly string[] = ["--allow-run", "--allow-ffi"];

/** A place for a reaper in the tree of processes. */
export interface Role {
  /** How it is called in the name of a test. */
  readonly name: string;
  /** What puts a command there; null where that is not allowed here. */
  readonly wrap: readonly string[] | null;
}

const PID_NAMESPACE = ["--pid", "--fork", "--mount-proc", "--kill-child"];

/** PID 1 of a namespace of its own. */
export const INIT: Role = role("PID 1", PID_NAMESPACE);

/** The same, with no network but its own. */
export const LONELY_INIT: Role = role("PID 1 with a network of its own", [...PID_NAMESPACE, "--net"]);

/** One process among others. */
export const SUBREAPER: Role = { name: "a subreaper", wrap: [] };

/** A test of a reaper in some place; skipped, with a name that says so, where that is not allowed. */
export function testAs(role: Role, name: string, fn: () => Promise<void>): void {
  const suffix = role.wrap === null ? " (skipped: unshare is missing, or not allowed here)" : "";
  Deno.test({ name: `as ${role.name}, ${name}${suffix}`, ignore: role.wrap === null, fn });
}

/** How a reaper is started. */
export interface ReapedOptions {
  /** Where. @default {SUBREAPER} */
  readonly role?: Role;
  /** A command that becomes the reaper. */
  readonly wrap?: readonly string[];
}

/** A real reaper. `await using` ends it and everybody below it. */
export class Reaped extends Program {
  readonly #role: Role;

  /** Starts it. */
  constructor(argv: readonly string[], { role = SUBREAPER, wrap = [] }: ReapedOptions = {}) {
    const tool = toolCommand("reaper/mod.ts", REAPER_PERMISSIONS);
    super([...HEEDING, ...wrap, ...role.wrap!, ...tool, ...argv], { stdin: "piped" });
    this.#role = role;
  }

  /** The reaper's pid: this process, or the one below `unshare`. */
  async pid(): Promise<number> {
    const { pid } = this.process;
    if (this.#role.wrap!.length === 0) return pid;
    for (;;) {
      const [child] = await below(pid);
      if (child !== undefined) return child;
      if (this.isOver) throw new Error("it is over");
    }
  }

  /** Sends the reaper a signal. */
  async signal(signal: Deno.Signal): Promise<void> {
    Deno.kill(await this.pid(), signal);
  }

  /** Sends the reaper a signal that kill(1) knows, by its name or number. */
  async send(signal: string): Promise<void> {
    await run(["sh", "-c", `kill -${signal} ${await this.pid()}`]);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!this.isOver) {
      const isLate = performance.now() > deadline;
      const pids = await below(this.process.pid);
      for (const pid of isLate ? [...pids, this.process.pid] : pids) signalIfThere(pid, "SIGKILL");
      await Promise.race([this.process.status, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    await super[Symbol.asyncDispose]();
  }
}

/** The pids of all below a process, parents first. */
export async function below(pid: number): Promise<number[]> {
  const script = "below() { for it in $(cat /proc/$1/task/*/children 2>&-); do echo $it; below $it; done; }; below $0";
  return (await run(["sh", "-c", script, `${pid}`])).stdout.split("\n").filter((it) => it !== "").map(Number);
}

/** What /proc says of a process. */
export async function procOf(pid: number | "self", file: string): Promise<string> {
  // Deno lets itself read /proc only with all permissions.
  return (await run(["cat", `/proc/${pid}/${file}`])).stdout;
}

function role(name: string, options: readonly string[]): Role {
  const wraps = [["unshare", ...options], ["unshare", "--user", "--map-root-user", ...options]];
  const wrap = wraps.find(([command, ...args]) =>
    hasCommand("unshare") &&
    new Deno.Command(command!, { args: [...args, "true"], stdout: "null", stderr: "null" }).outputSync().success
  );
  return { name, wrap: wrap ?? null };
}
