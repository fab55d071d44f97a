import {
  currentHealth,
  fileNameFault,
  type Health,
  isObject,
  type Job,
  type JsonObject,
  parseHealth,
  parseJob,
  parseStatus,
  type Status,
  type ToldProcess,
} from "@ncolony/core";
import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { resolve } from "@std/path/posix/resolve";
import { isGranted } from "../permission.ts";
import { isLocked } from "./is_locked.ts";
import { readSmallFile } from "./open.ts";
import { namesIn } from "./post.ts";

/** The longest file that is read, in bytes. */
const MAX_BYTES = 262_144;

/** The most files of a checker, or of schedulers. They may run as another user. */
const MAX_REPORTS = 100_000;

/** The most jobs that are read. */
const MAX_JOBS = 10_000;

/** The programs that report the health of processes. */
export const CHECKERS: readonly string[] = ["beatcheck", "httpcheck"];

/** Reads a status directory. It changes nothing there, and holds the lock for no longer than a look takes. */
export class StatusReader {
  /** The directory. */
  readonly path: string;
  readonly #ours = new Map<string, boolean>();

  /** Creates a reader. */
  constructor(path: string) {
    this.path = path;
  }

  /** Returns whether the monitor that writes there lives. Null if that cannot be seen. */
  isAlive(): boolean | null {
    return isLocked(this.path);
  }

  /** Returns whether a program that reports the health of processes is running. Null if that cannot be seen. */
  isChecking(checker: string): boolean | null {
    const directory = join(this.path, `.${checker}`);
    return this.#isOurs(directory) ? isLocked(directory) : null;
  }

  /** Returns the programs that report the health of processes, except those that are known to be gone. */
  checkers(): string[] {
    return CHECKERS.filter((name) => this.isChecking(name) !== false);
  }

  /** Returns what checkers report about the start of a process that runs now, by the names of the checkers. */
  healths(checkers: readonly string[], status: Status): ReadonlyMap<string, Health> {
    const found = checkers.flatMap((checker): [string, Health][] => {
      const health = this.health(checker, status.name);
      return health === null ? [] : [[checker, currentHealth(health, status)]];
    });
    return new Map(found);
  }

  /** Returns what schedulers report about their jobs, sorted by name. */
  jobs(): Job[] {
    return this.reportNames("scheduler").sort().slice(0, MAX_JOBS).flatMap((name) => this.job(name) ?? []);
  }

  /** Returns what a scheduler reports about its job. Null if there is none, or it cannot be read. */
  job(name: string): Job | null {
    return this.#parsed(".scheduler", name, (text) => parseJob(name, text));
  }

  /** Returns the names of all processes with a status, sorted. Null if there is no such directory. */
  names(): string[] | null {
    return namesIn(this.path)?.filter((name) => fileNameFault(name) === null).sort() ?? null;
  }

  /** Returns the status of a process. Null if there is none. @throws {Error} If it cannot be read, or is not a status. */
  process(name: string): ToldProcess | null {
    const text = this.#read(name);
    if (text === null) return null;
    const told = parseStatus(text);
    if (told === null) throw new Error(`${JSON.stringify(join(this.path, name))} is not the status of a process`);
    return { ...told, text };
  }

  /** Returns the events of a process, and its last lines of stderr. @throws {Error} If they cannot be read. */
  history(name: string): { readonly events: readonly JsonObject[]; readonly stderr: readonly string[] } {
    const { history, stderr } = this.json(".history", name) ?? {};
    return {
      events: Array.isArray(history) ? history.filter(isObject) : [],
      stderr: Array.isArray(stderr) ? stderr.filter((line) => typeof line === "string") : [],
    };
  }

  /** Returns the content of another file, such as `.monitor`. Null if there is none. @throws {Error} If it cannot be read. */
  json(...path: string[]): JsonObject | null {
    const text = this.#read(...path);
    try {
      const value = text === null ? null : JSON.parse(text);
      return isObject(value) ? value : null;
    } catch {
      // Another program wrote it.
      return null;
    }
  }

  /** Returns what a checker, or a scheduler, last reported about a process. Null if there is nothing, or it cannot be read. */
  health(checker: string, name: string): Health | null {
    return this.#parsed(`.${checker}`, name, parseHealth);
  }

  /** Returns the names of all about which a checker, or a scheduler, reports. */
  reportNames(reporter: string): string[] {
    const names: string[] = [];
    try {
      for (const { name } of Deno.readDirSync(join(this.path, `.${reporter}`))) {
        if (fileNameFault(name) === null) names.push(name);
        if (names.length === MAX_REPORTS) break;
      }
    } catch {
      // There is no such program, or its directory is none or may not be listed.
    }
    return names;
  }

  /** Parses a file of a checker or a scheduler. Null if it is none, or cannot be read. */
  #parsed<T>(directory: string, name: string, parse: (text: string) => T | null): T | null {
    try {
      return parse(this.#read(directory, name) ?? "");
    } catch {
      // The user of that program may have put anything there.
      return null;
    }
  }

  #read(...path: string[]): string | null {
    const file = join(this.path, ...path);
    try {
      return this.#isOurs(dirname(file)) ? Deno.readTextFileSync(file) : readSmallFile(file, MAX_BYTES);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Whether no other user can have put a FIFO or a link in a directory. If not, reading a file takes longer. */
  #isOurs(directory: string): boolean {
    const known = this.#ours.get(directory);
    if (known !== undefined) return known;
    const isOurs = isSafe(directory);
    this.#ours.set(directory, isOurs);
    return isOurs;
  }
}

/**
 * Whether nobody but root and the current user can have put anything in a directory, or redirect its path, as far as this
 * program may see. A path with a link is not.
 */
function isSafe(directory: string): boolean {
  // Without these permissions, Deno may prompt at the terminal.
  const uid = isGranted({ name: "sys", kind: "uid" }) ? Deno.uid() : 0;
  const top = resolve(directory);
  try {
    for (let path = top; isGranted({ name: "read", path }); path = dirname(path)) {
      const { isDirectory, uid: owner, mode } = Deno.lstatSync(path);
      if (!isDirectory || owner !== 0 && owner !== uid) return false;
      const isShared = ((mode ?? 0) & 0o022) !== 0;
      // In a sticky directory, others cannot replace what they do not own.
      if (isShared && (path === top || ((mode ?? 0) & 0o1000) === 0)) return false;
      if (path === "/") break;
    }
    return true;
  } catch {
    return false;
  }
}
