import { join } from "@std/path";
import { LEAST_PERMISSIONS } from "../../tools/permissions.ts";
import { type TempDir, tempDir } from "../helpers.ts";
import { Program } from "./program.ts";
import { type Result, run, sh, toolCommand } from "./tools.ts";

/** An event, as a test reads it. */
export interface NoticeEvent {
  readonly [key: string]: unknown;
  readonly id: number | null;
  readonly name: string | null;
  readonly event: string;
}

/** The document that a command of notify got on stdin. */
export interface NoticeDocument {
  readonly [key: string]: unknown;
  readonly summary: string;
  readonly count: number;
  readonly events: readonly NoticeEvent[];
}

/** A script that appends what it is told to the file `told` in a directory. */
export function telling(dir: TempDir): string {
  return `cat >>${dir.file("told")}`;
}

/** Returns a shell script as options of notify. */
export function commandOf(script: string): string[] {
  return sh(script).map((word) => `--arg=${word}`);
}

/** A status directory whose monitor is played by the test: `using ground = new NotifyGround()`. */
export class NotifyGround implements Disposable {
  /** A directory for all files of the test. It is the colony. */
  readonly dir: TempDir;
  /** The status directory. */
  readonly status: string;
  /** The file that remembers what was told. */
  readonly state: string;
  #lastId = Date.now();
  #lock: Deno.FsFile | null = null;

  /** Creates the directory. */
  constructor() {
    this.dir = tempDir();
    this.status = this.dir.dir("status");
    this.state = this.dir.file("notify", "notify");
    Deno.writeTextFileSync(join(this.status, ".monitor"), JSON.stringify({ version: 1, threshold: 1 }));
  }

  /** Records events, each `[name, event, other keys]`. Returns the id of the last one. */
  record(...events: readonly (readonly [string | null, string, Readonly<Record<string, unknown>>?])[]): number {
    const lines = events.map(([name, event, more = {}]) => {
      this.#lastId = Math.max(this.#lastId + 1, Date.now());
      return `${JSON.stringify({ id: this.#lastId, name, at: new Date().toISOString(), event, ...more })}\n`;
    });
    Deno.writeTextFileSync(join(this.status, ".events"), lines.join(""), { append: true });
    return this.#lastId;
  }

  /** Records deaths of a process. */
  die(name: string, times = 1, lived = 0.1): number {
    const exit = { incarnation: 1, type: "code", code: 3, signal: null, reason: null, lived, asked: false };
    return this.record(...Array.from({ length: times }, () => [name, "exited", exit] as const));
  }

  /** Reports the health of a process, as a checker does. */
  report(checker: string, name: string, healthy: boolean, reason: string | null = null): void {
    Deno.mkdirSync(join(this.status, `.${checker}`), { recursive: true });
    const at = new Date().toISOString();
    const text = JSON.stringify({ healthy, since: at, last: at, reason, incarnation: null });
    Deno.writeTextFileSync(this.dir.file("report"), text);
    Deno.renameSync(this.dir.file("report"), join(this.status, `.${checker}`, name));
  }

  /** Seems to be a monitor that runs, or one that was killed. */
  seemAlive(isAlive: boolean): void {
    this.#lock?.close();
    this.#lock = isAlive ? Deno.openSync(join(this.status, ".lock"), { create: true, read: true, write: true }) : null;
    this.#lock?.lockSync(true);
  }

  /** What the command has been told so far, if it is {@linkcode telling}. */
  told(): NoticeDocument[] {
    try {
      const lines = Deno.readTextFileSync(this.dir.file("told")).split("\n");
      // The last one may not be whole yet.
      return lines.slice(0, -1).map((line) => JSON.parse(line));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  /** The events that the command has been told so far. */
  toldEvents(): NoticeEvent[] {
    return this.told().flatMap(({ events }) => events);
  }

  /** The events that it has been told so far, in words: `web exited`. */
  toldWords(): string[] {
    return this.toldEvents().map(({ name, event }) => `${name ?? "monitor"} ${event}`);
  }

  /** Returns what notify remembers. Null if nothing. */
  remembered(): Record<string, unknown> | null {
    try {
      return JSON.parse(Deno.readTextFileSync(this.state));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Starts notify, and waits until it has begun. Its command is {@linkcode telling} unless `options` name another. */
  async notify(on: string, ...options: readonly string[]): Promise<Program> {
    const notified = new Program(this.words(on, ...options));
    await notified.waitFor(/ INFO ncolony-notify /);
    await notified.until("it has begun", () => this.remembered() !== null);
    return notified;
  }

  /** Runs notify until it exits by itself. */
  async run(on: string, ...options: readonly string[]): Promise<Result> {
    return await run(this.words(on, ...options));
  }

  /** Returns the command line of notify. */
  words(on: string, ...options: readonly string[]): string[] {
    const command = options.some((word) => word.startsWith("--arg")) ? [] : commandOf(telling(this.dir));
    const tool = toolCommand("notify/mod.ts", LEAST_PERMISSIONS.notify);
    return [...tool, "--colony", this.dir.path, "--on", on, ...options, ...command];
  }

  [Symbol.dispose](): void {
    this.#lock?.close();
    this.dir[Symbol.dispose]();
  }
}
