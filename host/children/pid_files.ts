import { type Spec, stopRulesOf } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { LOCK_TIMEOUT_MS, lockDirectory } from "../files/lock.ts";
import { lstat } from "../files/lstat.ts";
import { OwnDirectory } from "../files/own_directory.ts";
import type { Clock, Directory, DirectoryLock, FoundChild, PidFiles, TrustOptions } from "../types.ts";
import { type ChildRecord, configDigest } from "./child_record.ts";
import type { Cgroups } from "../scopes/cgroups.ts";
import { ChildTable } from "./child_table.ts";
import { PidDirectory } from "./pid_dir.ts";
import { findChildren } from "./predecessor.ts";
import { DirectView, type ProcView, viewOfProcesses } from "../scopes/proc_view.ts";

const TAKEN = "another monitor keeps its pid files there";

/** The pid files of a monitor, and the table by which the next monitor recognizes its children. */
export class DenoPidFiles implements PidFiles {
  readonly path: string;
  readonly #clock: Clock;
  readonly #cgroups: () => Cgroups | null;
  readonly #own: OwnDirectory;
  readonly #directory: PidDirectory;
  readonly #table: ChildTable;
  readonly #view: ProcView;
  /** The id of the machine's boot. Null if only a shell can read it, which takes too long for each start. */
  readonly #boot: string | null;
  #lock: DirectoryLock | null = null;
  /** Whether another monitor locked the directory after it was removed and created again. */
  #isTaken = false;
  #isClosed = false;
  /** The pid of each child, and the stamp of its file when it was last correct. */
  readonly #children = new Map<string, { readonly pid: number; seen: string | null }>();
  /** The children whose start time is not known yet. */
  readonly #unidentified = new Map<string, ChildRecord>();
  /** The processes whose files could not be removed. */
  readonly #gone = new Set<string>();

  /** Creates the directory if it is missing. @throws {Error} If that fails, or if other users may write it. */
  constructor(path: string, trust: TrustOptions, clock: Clock, cgroups: () => Cgroups | null = () => null) {
    this.path = path;
    this.#clock = clock;
    this.#cgroups = cgroups;
    this.#own = new OwnDirectory(path, trust, clock);
    this.#directory = new PidDirectory(path);
    this.#table = new ChildTable(path);
    this.#view = viewOfProcesses(clock);
    this.#boot = this.#view instanceof DirectView ? this.#view.bootId() : null;
  }

  async lock(): Promise<string | null> {
    this.#lock = await lockDirectory(this.path, LOCK_TIMEOUT_MS);
    if (this.#lock !== null) return this.#lock.fault;
    throw new Error(`Cannot lock ${JSON.stringify(this.path)}: ${TAKEN}`);
  }

  async findChildren(config: Directory): Promise<FoundChild[]> {
    const records = this.#table.load();
    const pids = this.#directory.entries();
    const found = await findChildren({ records, pids }, {
      config,
      view: this.#view,
      cgroups: this.#cgroups(),
      clock: this.#clock,
    });
    const names = new Set([...records, ...pids].map(({ name }) => name));
    for (const name of names) if (!found.some((child) => child.name === name)) this.remove(name);
    return found;
  }

  prepare(spec: Spec): string | null {
    return this.#table.put(this.#recordOf(spec));
  }

  write(spec: Spec, pid: number): string | null {
    this.#children.set(spec.name, { pid, seen: null });
    this.#gone.delete(spec.name);
    const record = { ...this.#recordOf(spec), pid, start: this.#boot === null ? null : this.#startOf(pid) };
    if (record.start === null) this.#unidentified.set(spec.name, record);
    return this.#table.put(record) ?? this.#directory.write(spec.name, pid);
  }

  removePid(name: string): string | null {
    this.#children.delete(name);
    const fault = this.#directory.remove(name);
    if (fault === null) this.#gone.delete(name);
    else this.#gone.add(name);
    return fault;
  }

  remove(name: string): string | null {
    this.#unidentified.delete(name);
    const fault = this.removePid(name);
    return this.#table.remove(name) ?? fault;
  }

  restore(): string | null {
    try {
      this.#own.ensure();
    } catch (error) {
      return faultOf(error);
    }
    if (this.#lock !== null && this.#lock.fault === null && !this.#lock.isHeld) this.#relock();
    this.#identify();
    const faults = [this.#isTaken ? TAKEN : null, this.#table.check()];
    for (const name of this.#children.keys()) faults.push(this.#restoreOne(name));
    for (const name of [...this.#gone]) faults.push(this.removePid(name));
    return faults.find((fault) => fault !== null) ?? null;
  }

  close(): void {
    this.#isClosed = true;
    this.#table.close();
    this.#lock?.[Symbol.dispose]();
  }

  /** Locks the directory that replaced the previous one. */
  async #relock(): Promise<void> {
    try {
      const lock = await lockDirectory(this.path, 0);
      this.#isTaken = lock === null;
      if (lock === null) return;
      if (this.#isClosed) return lock[Symbol.dispose]();
      this.#lock?.[Symbol.dispose]();
      this.#lock = lock;
    } catch {
      // It is gone again. The next restore() tries again.
    }
  }

  /** Records start times that could not be read when the children started. */
  #identify(): void {
    try {
      for (const [name, record] of this.#unidentified) {
        const start = this.#view.startOf(record.pid!);
        if (start === null) continue;
        this.#table.put({ ...record, boot: this.#boot ?? this.#view.bootId(), start });
        this.#unidentified.delete(name);
      }
    } catch {
      // Processes cannot be seen now. The next restore() tries again.
    }
  }

  /** Returns when a child started, in clock ticks since the boot. Null if that cannot be read now. */
  #startOf(pid: number): string | null {
    try {
      return this.#view.startOf(pid);
    } catch {
      // No file descriptor is left.
      return null;
    }
  }

  #recordOf(spec: Spec): ChildRecord {
    const { name, source } = spec;
    return { name, config: configDigest(source), rules: stopRulesOf(spec), boot: this.#boot, pid: null, start: null };
  }

  #restoreOne(name: string): string | null {
    const child = this.#children.get(name)!;
    const path = join(this.path, name);
    const seen = stampOf(path);
    if (seen !== null && seen === child.seen) return null;
    const fault = this.#directory.has(name, child.pid) ? null : this.#directory.write(name, child.pid);
    child.seen = fault === null ? stampOf(path) : null;
    return fault;
  }
}

/** Returns the pid files of a monitor that writes none. Leftover processes are found in /proc alone. */
export function noPidFiles(clock: Clock, cgroups: () => Cgroups | null = () => null): PidFiles {
  const nothing = () => null;
  return {
    path: null,
    lock: () => Promise.resolve(null),
    findChildren: (config) => {
      const search = { config, view: viewOfProcesses(clock), cgroups: cgroups(), clock };
      return findChildren({ records: [], pids: [] }, search);
    },
    prepare: nothing,
    write: nothing,
    removePid: nothing,
    remove: nothing,
    restore: nothing,
    close: () => {},
  };
}

/** Returns the inode, size and time of a file. Null if there is none. */
function stampOf(path: string): string | null {
  try {
    const info = lstat(path);
    return info && `${info.ino} ${info.size} ${info.mtime?.getTime()}`;
  } catch {
    // It cannot be seen.
    return null;
  }
}
