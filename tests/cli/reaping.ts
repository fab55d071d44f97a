import { until } from "../helpers.ts";
import { hasCommand, PATIENCE_MS, ROOT, run, signalIfThere, toolCommand } from "./tools.ts";

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
export class Reaped implements AsyncDisposable {
  /** The reaper itself, or the `unshare` above it. */
  readonly process: Deno.ChildProcess;
  /** The lines of stdout until now. */
  readonly stdout: string[] = [];
  /** The lines of stderr until now. */
  readonly stderr: string[] = [];
  readonly #role: Role;
  readonly #read: Promise<unknown>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #isOver = false;

  /** Starts it. */
  constructor(argv: readonly string[], { role = SUBREAPER, wrap = [] }: ReapedOptions = {}) {
    const tool = toolCommand("reaper/mod.ts", REAPER_PERMISSIONS);
    const [command, ...args] = [...wrap, ...role.wrap!, ...tool, ...argv];
    this.process = new Deno.Command(command, { args, cwd: ROOT, stdin: "piped", stdout: "piped", stderr: "piped" })
      .spawn();
    this.process.status.then(() => this.#isOver = true);
    this.#role = role;
    this.#writer = this.process.stdin.getWriter();
    this.#read = Promise.all([
      readLines(this.process.stdout, this.stdout),
      readLines(this.process.stderr, this.stderr),
    ]);
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The reaper's pid. */
  async pid(): Promise<number> {
    const { pid } = this.process;
    if (this.#role.wrap!.length === 0) return pid;
    for (;;) {
      const [child] = await below(pid);
      if (child !== undefined) return child;
      if (this.#isOver) throw new Error("it is over");
    }
  }

  /** Sends the reaper a signal. */
  async signal(signal: Deno.Signal): Promise<void> {
    Deno.kill(await this.pid(), signal);
  }

  /** Writes a line to stdin. */
  async say(line: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Waits for the nth line that matches. */
  async waitFor(pattern: RegExp, nth = 1): Promise<RegExpExecArray> {
    const lines = () => [...this.stdout, ...this.stderr];
    try {
      return await until(`${pattern}, ${nth} times`, () => {
        const found = lines().map((line) => pattern.exec(line)).filter((match) => match !== null)[nth - 1];
        if (found === undefined && this.#isOver) throw new Error("it is over");
        return found;
      });
    } catch (error) {
      throw new Error(`Not seen in the reaper: ${pattern}\n${lines().slice(-50).join("\n")}`, { cause: error });
    }
  }

  /** The number that a line holds. */
  async numberIn(pattern: RegExp, nth = 1): Promise<number> {
    return Number((await this.waitFor(pattern, nth))[1]);
  }

  /** Waits until it ends by itself; gives its exit code. */
  async ended(): Promise<number> {
    await until("the reaper ends", () => this.#isOver);
    await this.#read;
    return (await this.process.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!this.#isOver) {
      const isLate = performance.now() > deadline;
      const pids = await below(this.process.pid);
      for (const pid of isLate ? [...pids, this.process.pid] : pids) signalIfThere(pid, "SIGKILL");
      await Promise.race([this.process.status, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    await this.#writer.close().catch(() => {});
    await this.#read;
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

async function readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>, lines: string[]): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
  }
  if (rest !== "") lines.push(rest);
}
