import { dirname, join } from "@std/path";
import { Births } from "./births.ts";
import { ended, family, proportionalSetSize, signal, within } from "./processes.ts";

/** How long anything is waited for, in seconds. */
const PATIENCE = 120;

/** One running supervisor in a directory of its own. `await using` ends it, and whatever is left of what it started. */
export abstract class Supervisor implements AsyncDisposable {
  /** Its own looks at its directory are this far apart, in ms; 0: it is told, or watches. */
  readonly pollMs: number = 0;
  /** Hears of its children. */
  readonly births: Births;
  /** Where all of its files are. */
  protected readonly home: string;
  #process: Deno.ChildProcess | undefined;
  #starting: Promise<void> | undefined;
  #isOver = false;

  /** Makes its directory below `parent`; writes no configuration yet. */
  constructor(parent: string) {
    this.home = Deno.makeTempDirSync({ dir: parent });
    this.births = new Births(this.home);
  }

  /** Writes what it needs besides its processes. */
  abstract prepare(): Promise<void> | void;
  /** Its command line. */
  abstract command(): readonly string[];
  /** Writes the configuration of a process. */
  abstract configure(name: string, argv: readonly string[]): void;
  /** Makes it notice what was configured. */
  activate(_name: string): Promise<void> | void {}
  /** Asks for a new child by the fastest documented way. */
  abstract restart(name: string): Promise<void> | void;
  /** Asks for a new child by a command, where that is not what {@linkcode restart} does. */
  async restartByCommand(name: string): Promise<void> {
    await this.restart(name);
  }
  /** The file that receives what a process writes, when it was prepared for that. */
  abstract logFile(name: string): string;

  /** A path in its directory. */
  path(...names: string[]): string {
    return join(this.home, ...names);
  }

  /** Writes a file in its directory, by rename. */
  write(path: string, text: string, mode = 0o644): void {
    Deno.mkdirSync(dirname(this.path(path)), { recursive: true });
    Deno.writeTextFileSync(this.path(`${path}.new`), text);
    Deno.chmodSync(this.path(`${path}.new`), mode);
    Deno.renameSync(this.path(`${path}.new`), this.path(path));
  }

  /** Starts it. */
  async start(): Promise<void> {
    // Deno cannot give a child a file as its stdout.
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

  /** Variables for its environment. */
  env(): Record<string, string> {
    return {};
  }

  /** Waits until its command line has done its work, where that is not the supervisor itself. */
  async started(_process: Deno.ChildProcess): Promise<void> {}

  /** The supervisor's pid. */
  root(): number | undefined {
    return this.#process?.pid;
  }

  /** Waits for the next child of each name; ask before the cause. */
  async born(...names: string[]): Promise<number> {
    const births = names.map((name) => this.births.next(name));
    const all = await within(PATIENCE, `a start of ${names.at(-1)}`, Promise.all(births));
    return Math.max(...all.map(({ at }) => at));
  }

  /** The memory of the supervisor and its helpers, without the children, in MiB. */
  async memory(): Promise<number> {
    const children = new Set(this.births.pids.values());
    return await proportionalSetSize((await this.#family()).filter((pid) => !children.has(pid)));
  }

  /** Asks it to end in an orderly way, with all it has started. */
  terminate(): Promise<void> | void {
    this.signalRoot("SIGTERM");
  }

  /** Signals the supervisor itself. */
  protected signalRoot(name: Deno.Signal): void {
    const root = this.root();
    if (root !== undefined) signal([root], name);
  }

  /** Ends it; gives how long that took, in ms. */
  async stop(seconds = PATIENCE): Promise<number> {
    const pids = await this.#family();
    const asked = performance.now();
    await this.terminate();
    const left = await ended(pids, seconds);
    const took = performance.now() - asked;
    signal(left, "SIGKILL");
    if (left.length > 0) throw new Error(`${left.length} processes did not end within ${seconds} s`);
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
      // Those too that were being started when it was asked to end.
      const left = [...await this.#family(), ...this.births.pids.values()];
      signal(left, "SIGKILL");
      await ended(left, 20);
    }
  }

  async #family(): Promise<number[]> {
    return await family([...new Set([this.#process?.pid, this.root()])].filter((pid) => pid !== undefined));
  }
}
