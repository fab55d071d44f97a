import { join } from "@std/path";
import { type TempDir, tempDir, until } from "../helpers.ts";
import {
  ctlPermissions,
  latin1,
  MONITOR_PERMISSIONS,
  namesIn,
  PATIENCE_MS,
  place,
  type Result,
  runTool,
  signalIfThere,
  toolCommand,
} from "./tools.ts";

/** How a monitor is started. */
export interface ColonyOptions {
  /** Options of the monitor, besides its directories. */
  readonly args?: readonly string[];
  /** Config files that are there before it starts. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Variables for the monitor's environment, over that of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that becomes the monitor: `["setpriv", "--groups", "1"]`. */
  readonly wrap?: readonly string[];
  /** The monitor's stdin. */
  readonly stdin?: "null" | "piped";
  /** False: nobody reads its stdout. */
  readonly readStdout?: boolean;
  /** Its permissions. */
  readonly permissions?: readonly string[];
}

/** What a stream said until now. */
class Transcript {
  /** Its lines, a last one without newline only when the stream has ended. */
  readonly lines: string[] = [];
  /** Resolves when the stream has ended. */
  readonly done: Promise<void>;
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
    this.done = this.#read();
  }

  /** All of it, a character for each byte. */
  latin1(): string {
    return this.#chunks.map(latin1).join("");
  }

  /** Closes this end of the pipe. */
  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for (let read = await this.#reader.read(); !read.done; read = await this.#reader.read()) {
      this.#chunks.push(read.value);
      const parts = (rest + decoder.decode(read.value, { stream: true })).split("\n");
      rest = parts.pop()!;
      this.lines.push(...parts);
    }
    if (rest !== "") this.lines.push(rest);
  }
}

/** A real monitor on directories of its own. `await using` ends it, and whatever is left of what it started. */
export class Colony implements AsyncDisposable {
  /** A directory for everything that belongs to it. */
  readonly dir: TempDir = tempDir();
  /** Its config directory. */
  readonly config: string = this.dir.dir("config");
  /** Its messages directory. */
  readonly messages: string = this.dir.dir("messages");
  /** Its directory of pid files. */
  readonly pids: string = this.dir.file("pids");
  /** The monitor itself. */
  readonly process: Deno.ChildProcess;
  /** What the monitor writes, unless nobody reads it. */
  readonly stdout: Transcript | null;
  /** What the monitor writes. */
  readonly stderr: Transcript;
  readonly #stdin: WritableStream | null;
  #isOver = false;
  #fences = 0;
  #sent = 0;

  /** Starts it. */
  constructor(options: ColonyOptions = {}) {
    const { args = [], config = {}, env = {}, wrap = [], stdin = "null", permissions = MONITOR_PERMISSIONS } = options;
    for (const [name, content] of Object.entries(config)) this.put(name, content);
    const tool = toolCommand("monitor/mod.ts", permissions);
    const [command, ...words] = [...wrap, ...tool, ...this.places, "--pid", this.pids, ...args];
    this.process = new Deno.Command(command, { args: words, env, cwd: "/", stdin, stdout: "piped", stderr: "piped" })
      .spawn();
    this.process.status.then(() => this.#isOver = true);
    this.#stdin = stdin === "piped" ? this.process.stdin : null;
    this.stdout = options.readStdout === false ? null : new Transcript(this.process.stdout);
    this.stderr = new Transcript(this.process.stderr);
  }

  /** The options that say where it is. */
  get places(): string[] {
    return ["--config", this.config, "--messages", this.messages];
  }

  /** All lines until now: those of the children's stdout, then the others. */
  get lines(): string[] {
    return [...this.stdout?.lines ?? [], ...this.stderr.lines];
  }

  /** The pids of the children of a process until now, in order; without a name those of all. */
  pidsOf(name?: string): number[] {
    const who = name === undefined ? "[^:]+" : name.replaceAll(/\W/g, "\\$&");
    const pattern = new RegExp(`(?:INFO |")${who}: \\w+ -> running \\(.*\\), pid (\\d+)(?:"\\})?$`);
    return this.lines.map((line) => pattern.exec(line)?.[1]).filter((pid) => pid !== undefined).map(Number);
  }

  /** How many lines match. */
  count(pattern: RegExp): number {
    return this.lines.filter((line) => pattern.test(line)).length;
  }

  /** Waits until a condition holds; where that is in vain, the error shows the last lines. */
  async until<T>(what: string, condition: () => T | false | null | undefined): Promise<T> {
    try {
      return await until(what, () => {
        const value = condition();
        if (this.#isOver && (value === false || value === null || value === undefined)) throw new Error("it is over");
        return value;
      });
    } catch (error) {
      const lines = this.lines.slice(-50).map((line) => line.slice(0, 300));
      throw new Error(`Not seen in the monitor: ${what}\n${lines.join("\n")}`, { cause: error });
    }
  }

  /** Waits for the nth line that matches. */
  async waitFor(pattern: RegExp, nth = 1): Promise<RegExpExecArray> {
    return await this.until(`${pattern}, ${nth} times`, () => {
      return this.lines.map((line) => pattern.exec(line)).filter((match) => match !== null)[nth - 1];
    });
  }

  /** Waits for the nth start of a process; gives its pid. */
  async started(name: string, nth = 1): Promise<number> {
    return await this.until(`start ${nth} of ${name}`, () => this.pidsOf(name)[nth - 1]);
  }

  /** Waits until the pid file of a process holds another pid than `before`; gives it. */
  pidFile(name: string, before?: number): Promise<number> {
    return this.until(`a pid file of ${name}, not with ${before}`, () => {
      try {
        const pid = Number(Deno.readTextFileSync(join(this.pids, name)));
        return pid !== before && pid;
      } catch (error) {
        // Nothing runs at the moment.
        if (error instanceof Deno.errors.NotFound) return null;
        throw error;
      }
    });
  }

  /** Writes a config file by rename, which the monitor takes at once. */
  put(name: string, config: unknown): void {
    place(this.config, name, typeof config === "string" ? config : JSON.stringify(config));
  }

  /** Removes a config file. */
  remove(name: string): void {
    Deno.removeSync(join(this.config, name));
  }

  /** Writes a message by rename; those of a colony sort in the order in which they were sent. Gives its name. */
  send(message: unknown): string {
    const name = `message-${`${this.#sent++}`.padStart(4, "0")}`;
    place(this.messages, name, typeof message === "string" ? message : JSON.stringify(message));
    return name;
  }

  /** Resolves when the monitor has taken every change that was made until now, settled ones too. */
  async fence(): Promise<void> {
    const name = `fence-${this.#fences++}`;
    // Written in place, so that it has to settle as well.
    Deno.writeTextFileSync(join(this.config, name), '{"args": ["cat"]}');
    await this.started(name);
  }

  /** Runs the real ctl, with no permission but for the two directories. */
  async ctl(...args: string[]): Promise<Result> {
    return await runTool("ctl/mod.ts", [...this.places, ...args], ctlPermissions(this));
  }

  /** Waits until the monitor ends by itself; gives its exit code. */
  async ended(): Promise<number> {
    // Also where it was not the last line that was waited for.
    await until("the monitor ends", () => this.#isOver);
    await Promise.all([this.stdout?.done, this.stderr.done]);
    return (await this.process.status).code;
  }

  /** Asks the monitor to stop; gives its exit code. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.process.kill(signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.#isOver) await this.#end();
    } finally {
      for (const pid of [...this.pidsOf(), ...pidsIn(this.pids)]) signalIfThere(-pid, "SIGKILL");
      if (this.stdout === null) await this.process.stdout.cancel();
      await this.#stdin?.close().catch(() => {});
      await Promise.all([this.stdout?.done, this.stderr.done]);
      this.dir[Symbol.dispose]();
    }
  }

  async #end(): Promise<void> {
    signalIfThere(this.process.pid, "SIGTERM");
    const timer = setTimeout(() => signalIfThere(this.process.pid, "SIGKILL"), PATIENCE_MS);
    await this.process.status;
    clearTimeout(timer);
  }
}

function pidsIn(directory: string): number[] {
  try {
    return namesIn(directory).map((name) => Number(Deno.readTextFileSync(join(directory, name)))).filter((it) =>
      it > 1
    );
  } catch (error) {
    // The monitor ended before it made the directory.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
