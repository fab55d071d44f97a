import { Program } from "./program.ts";
import { hasCommand, HEEDING, run, signalIfThere, TIMEOUT_MS, toolCommand } from "./tools.ts";

/** The permissions that reaper needs. */
export const REAPER_PERMISSIONS: readonly string[] = ["--allow-run", "--allow-ffi"];

/** A place for reaper in the process tree. */
export interface Role {
  /** Its name in test titles. */
  readonly name: string;
  /** The words that put a command there. Null if that is not possible here. */
  readonly wrap: readonly string[] | null;
}

const PID_NAMESPACE = ["--pid", "--fork", "--mount-proc", "--kill-child"];

/** PID 1 of its own namespace. */
export const INIT: Role = role("PID 1", PID_NAMESPACE);

/** The same, with its own network. */
export const LONELY_INIT: Role = role("PID 1 with a network of its own", [...PID_NAMESPACE, "--net"]);

/** A process among others. */
export const SUBREAPER: Role = { name: "a subreaper", wrap: [] };

/** Defines a test of reaper in a role. If the role is not possible here, the test is skipped and its title says so. */
export function testAs(role: Role, name: string, fn: () => Promise<void>): void {
  const suffix = role.wrap === null ? " (skipped: unshare is missing, or not allowed here)" : "";
  Deno.test({ name: `as ${role.name}, ${name}${suffix}`, ignore: role.wrap === null, fn });
}

/** Options of a {@linkcode Reaped}. */
export interface ReapedOptions {
  /** The place of reaper. @default {SUBREAPER} */
  readonly role?: Role;
  /** A command that becomes reaper. */
  readonly wrap?: readonly string[];
}

/** A real reaper. `await using` ends it and all processes below it. */
export class Reaped extends Program {
  readonly #role: Role;

  /** Starts reaper. */
  constructor(argv: readonly string[], { role = SUBREAPER, wrap = [] }: ReapedOptions = {}) {
    const tool = toolCommand("reaper/mod.ts", REAPER_PERMISSIONS);
    super([...HEEDING, ...wrap, ...role.wrap!, ...tool, ...argv], { stdin: "piped" });
    this.#role = role;
  }

  /** Returns the pid of reaper: this process, or the one below `unshare`. */
  async pid(): Promise<number> {
    const { pid } = this.process;
    if (this.#role.wrap!.length === 0) return pid;
    return await this.until("unshare has a child", async () => (await below(pid))[0]);
  }

  /** Sends reaper a signal. */
  async signal(signal: Deno.Signal): Promise<void> {
    Deno.kill(await this.pid(), signal);
  }

  /** Sends reaper a signal that kill(1) knows, by its name or number. */
  async send(signal: string): Promise<void> {
    await run(["sh", "-c", `kill -${signal} ${await this.pid()}`]);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    while (!this.isOver) {
      const isLate = performance.now() > deadline;
      const pids = await below(this.process.pid);
      for (const pid of isLate ? [...pids, this.process.pid] : pids) signalIfThere(pid, "SIGKILL");
      await Promise.race([this.process.status, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    await super[Symbol.asyncDispose]();
  }
}

/** Returns the pids of all processes below a process, parents first. */
export async function below(pid: number): Promise<number[]> {
  const script = "below() { for it in $(cat /proc/$1/task/*/children 2>&-); do echo $it; below $it; done; }; below $0";
  return (await run(["sh", "-c", script, `${pid}`])).stdout.split("\n").filter((it) => it !== "").map(Number);
}

/** Waits until reaper has executed itself through /proc/self/exe. From then on, its name is `exe`. */
export async function untilExecuted(reaped: Reaped): Promise<void> {
  const pid = await reaped.pid();
  await reaped.until("it has executed itself", async () => (await procOf(pid, "comm")).trim() === "exe");
}

/** Waits until a process is stopped. */
export async function untilStopped(reaped: Reaped, pid: number): Promise<void> {
  await reaped.until("it is stopped", async () => /^State:\s+T/m.test(await procOf(pid, "status")));
}

/** Returns a file of a process in /proc. */
export async function procOf(pid: number | "self", file: string): Promise<string> {
  // Deno itself may read /proc only with all permissions.
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
