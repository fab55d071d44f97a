import { type TempDir, tempDir, until } from "../helpers.ts";
import { PATIENCE_MS, ROOT, signalIfThere, toolCommand } from "./tools.ts";

/** The permissions that the scheduler needs. */
export const SCHEDULER_PERMISSIONS: readonly string[] = ["--allow-run", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"];

/** What most runs have. */
export const PATIENT: readonly string[] = ["--timeout", "1000", "--grace", "1000"];

/** A command as the scheduler's options. */
export function command(...args: readonly string[]): string[] {
  return args.map((arg) => `--arg=${arg}`);
}

/** A shell script as the scheduler's options. */
export function script(text: string): string[] {
  return command("sh", "-c", text);
}

/** A real scheduler. `await using` ends it, and every group whose leader wrote `pid N`. */
export class Scheduled implements AsyncDisposable {
  /** A directory of its own. */
  readonly dir: TempDir = tempDir();
  /** The scheduler itself. */
  readonly process: Deno.ChildProcess;
  /** The lines of its stdout until now. */
  readonly stdout: string[] = [];
  /** The lines of its stderr until now. */
  readonly stderr: string[] = [];
  readonly #read: Promise<unknown>;
  #isOver = false;

  /** Starts it. */
  constructor(
    argv: (dir: TempDir) => readonly string[],
    { env = () => ({}), permissions = SCHEDULER_PERMISSIONS }: {
      readonly env?: (dir: TempDir) => Record<string, string>;
      readonly permissions?: readonly string[];
    } = {},
  ) {
    const [program, ...words] = [...toolCommand("scheduler/mod.ts", permissions), ...argv(this.dir)];
    const options = { args: words, cwd: ROOT, env: env(this.dir) };
    this.process = new Deno.Command(program, { ...options, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
    this.#read = Promise.all([
      readLines(this.process.stdout, this.stdout),
      readLines(this.process.stderr, this.stderr),
    ]);
    this.process.status.then(() => this.#isOver = true);
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
      throw new Error(`Not seen in the scheduler: ${pattern}\n${lines().slice(-50).join("\n")}`, { cause: error });
    }
  }

  /** The first number that matches. */
  async numberIn(pattern: RegExp, nth = 1): Promise<number> {
    return Number((await this.waitFor(pattern, nth))[1]);
  }

  /** How many lines match. */
  count(pattern: RegExp): number {
    return [...this.stdout, ...this.stderr].filter((line) => pattern.test(line)).length;
  }

  /** Waits until it ends by itself; gives its exit code. */
  async ended(): Promise<number> {
    await until("the scheduler ends", () => this.#isOver);
    await this.#read;
    return (await this.process.status).code;
  }

  /** Asks it to stop; gives its exit code. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.process.kill(signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.process;
    try {
      if (!this.#isOver) {
        signalIfThere(pid, "SIGCONT");
        signalIfThere(pid, "SIGTERM");
        const timer = setTimeout(() => signalIfThere(pid, "SIGKILL"), PATIENCE_MS);
        for (const group of this.#groups()) signalIfThere(-group, "SIGKILL");
        await this.process.status;
        clearTimeout(timer);
      }
    } finally {
      for (const group of this.#groups()) signalIfThere(-group, "SIGKILL");
      await this.process.stdin.close().catch(() => {});
      await this.#read;
      this.dir[Symbol.dispose]();
    }
  }

  #groups(): number[] {
    return this.stdout.map((line) => Number(/ pid (\d+)$/.exec(line)?.[1])).filter((pid) => pid > 1);
  }
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
