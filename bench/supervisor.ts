import { dirname, join } from "@std/path";
import { Births } from "./births.ts";
import { ended, family, proportionalSetSize, signal, within } from "./processes.ts";

/** The timeout of every wait, in seconds. */
const PATIENCE = 120;

/** A supervisor in its own directory. `await using` stops it and all processes that it started. */
export abstract class Supervisor implements AsyncDisposable {
  /** How often it scans its directory, in milliseconds. 0 if it watches, or is told of changes. */
  readonly pollMs: number = 0;
  /** Reports the starts of its children. */
  readonly births: Births;
  /** The directory of all its files. */
  protected readonly home: string;
  #process: Deno.ChildProcess | undefined;
  #starting: Promise<void> | undefined;
  #isOver = false;

  /** Creates its directory in `parent`, but no configuration yet. */
  constructor(parent: string) {
    this.home = Deno.makeTempDirSync({ dir: parent });
    this.births = new Births(this.home);
  }

  /** Writes all that it needs, except the configuration of its processes. */
  abstract prepare(): Promise<void> | void;
  /** Its command line. */
  abstract command(): readonly string[];
  /** Writes the configuration of a process. */
  abstract configure(name: string, argv: readonly string[]): void;
  /** Makes it notice a new configuration. */
  activate(_name: string): Promise<void> | void {}
  /** Restarts a child in the fastest documented way. */
  abstract restart(name: string): Promise<void> | void;
  /** Restarts a child by a command. The default is {@linkcode restart}. */
  async restartByCommand(name: string): Promise<void> {
    await this.restart(name);
  }
  /** Returns the log file of a process. */
  abstract logFile(name: string): string;

  /** Returns a path in its directory. */
  path(...names: string[]): string {
    return join(this.home, ...names);
  }

  /** Writes a file in its directory and renames it into place. */
  write(path: string, text: string, mode = 0o644): void {
    Deno.mkdirSync(dirname(this.path(path)), { recursive: true });
    Deno.writeTextFileSync(this.path(`${path}.new`), text);
    Deno.chmodSync(this.path(`${path}.new`), mode);
    Deno.renameSync(this.path(`${path}.new`), this.path(path));
  }

  /** Starts the supervisor. */
  async start(): Promise<void> {
    // Deno cannot use a file as a child's stdout.
    const script = `exec "$@" >"${this.path("output", "log")}" 2>&1`;
    Deno.mkdirSync(this.path("output"), { recursive: true });
    const args = ["-c", script, "sh", ...this.command()];
    this.#process = new Deno.Command("/bin/sh", {
      args,
      env: this.env(),
      cwd: this.home,
      stdin: "null",
      detached: true,
    })
      .spawn();
    this.#starting = this.started(this.#process);
    await this.#starting;
  }

  /** Returns variables for its environment. */
  env(): Record<string, string> {
    return {};
  }

  /** Waits until the supervisor has started, if its command line does not become the supervisor. */
  async started(_process: Deno.ChildProcess): Promise<void> {}

  /** Returns the supervisor's pid. */
  root(): number | undefined {
    return this.#process?.pid;
  }

  /** Waits for the next child of each name. Call this before the cause of the start. */
  async born(...names: string[]): Promise<number> {
    const births = names.map((name) => this.births.next(name));
    const all = await within(PATIENCE, `a start of ${names.at(-1)}`, Promise.all(births));
    return Math.max(...all.map(({ at }) => at));
  }

  /** Returns the memory of the supervisor and its helpers, without the children, in MiB. */
  async memory(): Promise<number> {
    const children = new Set(this.births.pids.values());
    return await proportionalSetSize((await this.#family()).filter((pid) => !children.has(pid)));
  }

  /** Asks the supervisor to stop its children and exit. */
  terminate(): Promise<void> | void {
    this.signalRoot("SIGTERM");
  }

  /** Signals the supervisor itself. */
  protected signalRoot(name: Deno.Signal): void {
    const root = this.root();
    if (root !== undefined) signal([root], name);
  }

  /** Stops the supervisor. Returns how long that took, in milliseconds. */
  async stop(seconds = PATIENCE): Promise<number> {
    const pids = await this.#family();
    const asked = performance.now();
    await this.terminate();
    const left = await ended(pids, seconds);
    const took = performance.now() - asked;
    signal(left, "SIGKILL");
    if (left.length > 0) throw new Error(`${left.length} processes did not exit within ${seconds} s`);
    this.#isOver = true;
    return took;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.#isOver) await this.#end();
    } finally {
      await this.births[Symbol.asyncDispose]();
      Deno.removeSync(this.home, { recursive: true });
    }
  }

  async #end(): Promise<void> {
    await Promise.allSettled([this.#starting]);
    try {
      await this.stop(20);
    } finally {
      // Include children that were just starting when it was asked to stop.
      const left = [...await this.#family(), ...this.births.pids.values()];
      signal(left, "SIGKILL");
      await ended(left, 20);
    }
  }

  async #family(): Promise<number[]> {
    return await family([...new Set([this.#process?.pid, this.root()])].filter((pid) => pid !== undefined));
  }
}
