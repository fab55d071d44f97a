import { until } from "../helpers.ts";
import { removeCgroups, ROOT, signalIfThere, TIMEOUT_MS } from "./tools.ts";

/** Options of a {@linkcode Program}. */
export interface ProgramOptions {
  /** Variables for its environment, over the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its stdin. @default {"null"} */
  readonly stdin?: "piped" | "null";
}

/** A running program. `await using` ends it. */
export class Program implements AsyncDisposable {
  /** The program itself. */
  readonly process: Deno.ChildProcess;
  /** The lines of its stdout so far. */
  readonly stdout: string[] = [];
  /** The lines of its stderr so far. */
  readonly stderr: string[] = [];
  /** The lines of both so far, in the order in which they arrived. */
  readonly lines: string[] = [];
  readonly #read: Promise<unknown>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array> | null;
  #isOver = false;

  /** Starts the program. */
  constructor([command, ...args]: readonly string[], { env = {}, stdin = "null" }: ProgramOptions = {}) {
    this.process = new Deno.Command(command!, { args, env, cwd: ROOT, stdin, stdout: "piped", stderr: "piped" })
      .spawn();
    this.process.status.then(() => this.#isOver = true);
    this.#stdin = stdin === "piped" ? this.process.stdin.getWriter() : null;
    this.#read = Promise.all([
      this.#collect(this.process.stdout, this.stdout),
      this.#collect(this.process.stderr, this.stderr),
    ]);
  }

  /** Whether it has exited. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Returns the lines that match. */
  matching(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }

  /** Returns how many lines match. */
  count(pattern: RegExp): number {
    return this.matching(pattern).length;
  }

  /** Waits until a condition holds. If it never does, the error shows the last lines. */
  async until<T>(
    what: string,
    condition: () => T | false | null | undefined | Promise<T | false | null | undefined>,
  ): Promise<T> {
    try {
      return await until(what, async () => {
        const isOver = this.#isOver;
        const value = await condition();
        if (isOver && (value === false || value === null || value === undefined)) throw new Error("it is over");
        return value;
      });
    } catch (error) {
      throw new Error(`Not seen: ${what}\n${this.lines.slice(-50).join("\n")}`, { cause: error });
    }
  }

  /** Waits for the nth line that matches. */
  async waitFor(pattern: RegExp, nth = 1): Promise<RegExpExecArray> {
    return await this.until(`${pattern}, ${nth} times`, () => {
      return this.lines.map((line) => pattern.exec(line)).filter((match) => match !== null)[nth - 1];
    });
  }

  /** Waits for the nth line that matches. Returns the number in its first group. */
  async numberIn(pattern: RegExp, nth = 1): Promise<number> {
    return Number((await this.waitFor(pattern, nth))[1]);
  }

  /** Writes a line to its stdin, if that is piped. */
  async say(line: string): Promise<void> {
    await this.#stdin?.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Waits until it exits by itself. Returns its exit code. */
  async ended(): Promise<number> {
    await until("it ends", () => this.#isOver);
    await this.#read;
    return (await this.process.status).code;
  }

  /** Asks it to exit. Returns its exit code. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    signalIfThere(this.process.pid, signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, status } = this.process;
    if (!this.#isOver) { for (const signal of ["SIGTERM", "SIGCONT"] as const) signalIfThere(pid, signal); }
    const timer = setTimeout(() => signalIfThere(pid, "SIGKILL"), TIMEOUT_MS);
    await status;
    clearTimeout(timer);
    await this.#stdin?.close().catch(() => {});
    await this.#read;
    await removeCgroups(this.lines);
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>, lines: string[]): Promise<void> {
    const add = (line: string) => {
      lines.push(line);
      this.lines.push(line);
    };
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      parts.forEach(add);
    }
    if (rest !== "") add(rest);
  }
}
