import { join } from "@std/path";
import { type TempDir, tempDir, until } from "../helpers.ts";
import {
  ctlPermissions,
  latin1,
  MONITOR_PERMISSIONS,
  namesIn,
  place,
  removeCgroups,
  type Result,
  runTool,
  signalIfThere,
  TIMEOUT_MS,
  toolCommand,
} from "./tools.ts";

/** Options of a {@linkcode Colony}. */
export interface ColonyOptions {
  /** Options of the monitor, in addition to its directories. */
  readonly args?: readonly string[];
  /** Config files that exist before the monitor starts. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Variables for the monitor's environment, over the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that becomes the monitor: `["setpriv", "--groups", "1"]`. */
  readonly wrap?: readonly string[];
  /** The monitor's stdin. */
  readonly stdin?: "null" | "piped";
  /** If false, the harness does not read the monitor's stdout. */
  readonly readStdout?: boolean;
  /** The monitor's permissions. */
  readonly permissions?: readonly string[];
}

/** The output of a stream so far. */
class Transcript {
  /** Its lines. A last one without a newline is added when the stream ends. */
  readonly lines: string[] = [];
  /** Resolves when the stream has ended. */
  readonly done: Promise<void>;
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
    this.done = this.#read();
  }

  /** Returns all of it, one character per byte. */
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

/** A real monitor with its own directories. `await using` ends it and everything it started. */
export class Colony implements AsyncDisposable {
  /** A directory for all files of the test. */
  readonly dir: TempDir = tempDir();
  /** The config directory. */
  readonly config: string = this.dir.dir("config");
  /** The messages directory. */
  readonly messages: string = this.dir.dir("messages");
  /** The directory of pid files. */
  readonly pids: string = this.dir.file("pids");
  /** The monitor itself. */
  readonly process: Deno.ChildProcess;
  /** The monitor's stdout, unless it is not read. */
  readonly stdout: Transcript | null;
  /** The monitor's stderr. */
  readonly stderr: Transcript;
  readonly #stdin: WritableStream | null;
  #isOver = false;
  #fences = 0;
  #sent = 0;

  /** Starts the monitor. */
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

  /** The options that name the two directories. */
  get places(): string[] {
    return ["--config", this.config, "--messages", this.messages];
  }

  /** All lines so far: the lines of stdout, then the lines of stderr. */
  get lines(): string[] {
    return [...this.stdout?.lines ?? [], ...this.stderr.lines];
  }

  /** Returns the pids of a process's children so far, in order. Without a name, the pids of all children. */
  pidsOf(name?: string): number[] {
    const who = name === undefined ? "[^:]+" : name.replaceAll(/\W/g, "\\$&");
    const pattern = new RegExp(`(?:INFO |")${who}: \\w+ -> running \\(.*\\), pid (\\d+)(?:"[,}].*)?$`);
    return this.lines.map((line) => pattern.exec(line)?.[1]).filter((pid) => pid !== undefined).map(Number);
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

  /** Waits for the nth start of a process. Returns its pid. */
  async started(name: string, nth = 1): Promise<number> {
    return await this.until(`start ${nth} of ${name}`, () => this.pidsOf(name)[nth - 1]);
  }

  /** Waits until the pid file of a process holds another pid than `before`. Returns that pid. */
  pidFile(name: string, before?: number): Promise<number> {
    return this.until(`a pid file of ${name}, not with ${before}`, () => {
      try {
        const pid = Number(Deno.readTextFileSync(join(this.pids, name)));
        return pid !== before && pid;
      } catch (error) {
        // The process is not running at the moment.
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

  /** Writes a message by rename. The names of messages sort in the order in which they were sent. Returns the name. */
  send(message: unknown): string {
    const name = `message-${`${this.#sent++}`.padStart(4, "0")}`;
    place(this.messages, name, typeof message === "string" ? message : JSON.stringify(message));
    return name;
  }

  /** Resolves when the monitor has taken every change made so far, including those that must settle first. */
  async fence(): Promise<void> {
    const name = `fence-${this.#fences++}`;
    // Written in place, so that it has to settle as well.
    Deno.writeTextFileSync(join(this.config, name), '{"args": ["cat"]}');
    await this.started(name);
  }

  /** Runs the real ctl, with no permission except for the two directories. */
  async ctl(...args: string[]): Promise<Result> {
    return await runTool("ctl/mod.ts", [...this.places, ...args], ctlPermissions(this));
  }

  /** Waits until the monitor exits by itself. Returns its exit code. */
  async ended(): Promise<number> {
    await until("the monitor ends", () => this.#isOver);
    await Promise.all([this.stdout?.done, this.stderr.done]);
    return (await this.process.status).code;
  }

  /** Asks the monitor to stop. Returns its exit code. */
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
      await removeCgroups(this.lines);
      this.dir[Symbol.dispose]();
    }
  }

  async #end(): Promise<void> {
    signalIfThere(this.process.pid, "SIGTERM");
    const timer = setTimeout(() => signalIfThere(this.process.pid, "SIGKILL"), TIMEOUT_MS);
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
    // The monitor exited before it made the directory.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
