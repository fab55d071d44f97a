import { isObject, type KillScope, nameFault, ownValue } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { openDirectory } from "./directory.ts";
import { faultOf } from "./fault.ts";
import { readBootId, readProcess } from "./proc.ts";

/** The longest pid file or record that is read, in bytes. */
const MAX_FILE_BYTES = 4096;

/** What a pid file says of a child that an earlier monitor started, and its record, where there is one that can be read. */
export interface PidEntry {
  /** The name of the process. */
  readonly name: string;
  /** The pid of its leader. */
  readonly pid: number;
  /** When that started, in clock ticks since the boot. */
  readonly start?: string;
  /** In which boot of the machine that was. */
  readonly boot?: string;
  /** Whom signals reach. */
  readonly scope: KillScope;
}

/**
 * A directory with one file per running process, its pid in decimal (Python NColony's `TransportDirectoryDict`).
 *
 * Beside `NAME` stands a record `.NAME` (mode 0600) of when that pid started, in which boot, so that a monitor that finds
 * the file later can tell the process from a stranger that was given the same pid. It is only written where /proc may be
 * read, for which Deno wants --allow-all.
 *
 * Files are written under a fresh name and renamed into place, so that no planted link is written through.
 */
export class PidDirectory {
  readonly #path: string;

  /** Makes the directory if it is missing. @throws {Error} Where it cannot be made. */
  constructor(path: string) {
    Deno.mkdirSync(path, { recursive: true });
    this.#path = path;
  }

  /** Writes the pid of a process; says why where it cannot. */
  write(name: string, pid: number, scope: KillScope = "group"): string | null {
    const record = makeRecord(pid, scope);
    return (record === null ? null : this.#put(`.${name}`, record, 0o600)) ?? this.#put(name, `${pid}`, 0o644);
  }

  /** Removes the files of a process; says why where it cannot. */
  remove(name: string): string | null {
    const fault = discard(join(this.#path, name));
    return discard(join(this.#path, `.${name}`)) ?? fault;
  }

  /** What earlier monitors wrote, and did not remove. */
  async entries(): Promise<PidEntry[]> {
    const directory = openDirectory(this.#path, { maxBytes: MAX_FILE_BYTES, followLinks: false });
    const names = directory.names();
    if ("fault" in names) return [];
    const textOf = async (file: string) => {
      const entry = (await directory.read(file))?.entry;
      return entry && "source" in entry ? entry.source : "";
    };
    const found: PidEntry[] = [];
    for (const name of names.filter((name) => nameFault(name) === null)) {
      const pid = parsePid(await textOf(name));
      if (pid !== null) found.push({ name, pid, scope: "group", ...parseRecord(await textOf(`.${name}`), pid) });
    }
    return found;
  }

  #put(name: string, text: string, mode: number): string | null {
    const fresh = join(this.#path, `.${crypto.randomUUID()}.new`);
    try {
      Deno.writeTextFileSync(fresh, text, { createNew: true, mode });
      Deno.renameSync(fresh, join(this.#path, name));
      return null;
    } catch (error) {
      discard(fresh);
      return faultOf(error);
    }
  }
}

function makeRecord(pid: number, scope: KillScope): string | null {
  try {
    const start = readProcess(pid)?.start;
    return start === undefined ? null : JSON.stringify({ pid, start, boot: readBootId(), scope });
  } catch {
    // /proc may not be read: there is only the pid.
    return null;
  }
}

function parsePid(text: string): number | null {
  if (!/^\d{1,10}\n?$/.test(text)) return null;
  const pid = Number(text);
  // 1 is no child of any monitor, 0 and negative numbers would be groups, and of larger ones Deno.kill takes 32 bits.
  return pid <= 1 || pid >= 2 ** 31 || pid === Deno.pid ? null : pid;
}

/** What a record says of this pid; nothing where it is none, or about another one. */
function parseRecord(source: string, pid: number): Partial<PidEntry> {
  try {
    const record = JSON.parse(source);
    if (!isObject(record) || ownValue(record, "pid") !== pid) return {};
    const [start, boot] = [ownValue(record, "start"), ownValue(record, "boot")];
    if (typeof start !== "string" || typeof boot !== "string") return {};
    return { start, boot, scope: ownValue(record, "scope") === "process" ? "process" : "group" };
  } catch {
    // Torn by a full disk, or not ours.
    return {};
  }
}

function discard(path: string): string | null {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return faultOf(error);
  }
  return null;
}
