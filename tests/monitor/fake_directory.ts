import { type Entry, isIgnored } from "@ncolony/core";
import type { FileStamp, Identity, MessagesDirectory, Reading, Touch } from "@ncolony/host";
import type { FakeClock } from "./fake_clock.ts";

/** An operation of the monitor on a directory. */
export type Operation = "identity" | "names" | "stamp" | "read" | "remove" | "reject";

/** An event that a watch reports. */
export type DirectoryEvent = { readonly name: string; readonly touch: Touch } | "rescan";

interface File {
  readonly inode: number;
  readonly entry: Entry;
  readonly mtimeMs: number;
}

/** The directory at a path. It may be replaced by another one with another id. */
interface Place {
  readonly id: string;
  readonly files: Map<string, File>;
  /** When a name in it last changed. */
  changedMs: number;
}

let lastId = 0;

/**
 * A directory in memory, for configs or for messages. Its methods are the actions of other programs; `port` is the
 * directory as the monitor sees it.
 */
export class FakeDirectory {
  /** Its path. */
  readonly path: string;
  /** The directory as the monitor sees it. */
  readonly port: MessagesDirectory;
  /** How often the monitor called each operation. */
  readonly calls: Record<Operation, number> = { identity: 0, names: 0, stamp: 0, read: 0, remove: 0, reject: 0 };
  /** The rejected messages, in order. */
  readonly rejected: string[] = [];
  /** Whether other users may write it. */
  isShared = false;
  /** Why it may not be used although it exists, or null. */
  untrusted: string | null = null;
  /** Where it is read instead of at its path, or null. */
  usedAt: string | null = null;
  /** How long each operation takes. */
  costMs = 0;
  /** Why its names cannot be listed, or null. */
  unreadable: string | null = null;
  /** Why the files in it cannot be accessed, or null. The reason is a missing x bit. */
  unreachable: string | null = null;
  /** Why the files in it cannot be removed or rejected, or null. */
  irremovable: string | null = null;
  /** Called in each operation of the monitor, before its result is computed. */
  onCall: (operation: Operation, name: string) => void = () => {};
  /** Receives its events. */
  onEvent: (event: DirectoryEvent) => void = () => {};
  readonly #clock: FakeClock;
  #place: Place | null = { id: `1:${++lastId}`, files: new Map(), changedMs: 0 };

  constructor(path: string, clock: FakeClock) {
    this.path = path;
    this.#clock = clock;
    this.port = {
      path,
      identity: () => this.#called("identity", "", () => this.#identity()),
      stands: (id) => this.#called("identity", "", () => this.#place?.id === id),
      use: (at) => void (this.usedAt = at),
      names: () => this.#called("names", "", () => this.#names()),
      stamp: (name) => this.#called("stamp", name, () => this.#stamp(name)),
      read: (name) => this.#called("read", name, () => this.#read(name)),
      changedMs: () => this.#called("identity", "", () => this.#place?.changedMs ?? null),
      isShared: () => this.isShared,
      remove: (name) => this.#called("remove", name, () => this.#remove(name)),
      reject: (name) => this.#called("reject", name, () => this.#remove(name) ?? this.#putAway(name)),
    };
  }

  /** How many operations the monitor called. */
  get callCount(): number {
    return Object.values(this.calls).reduce((sum, count) => sum + count, 0);
  }

  /** The id of the directory at the path, or null. */
  get id(): string | null {
    return this.#place?.id ?? null;
  }

  /** The names of all files in it, in no particular order. */
  get names(): string[] {
    return [...this.#place?.files.keys() ?? []];
  }

  /** Returns the text of every readable file. */
  texts(): Record<string, string> {
    const texts = [...this.#files].flatMap(([name, { entry }]) => "source" in entry ? [[name, entry.source]] : []);
    return Object.fromEntries(texts);
  }

  /** Writes a file in place, like `cp` or `echo >`. A new file gets a new inode. */
  write(name: string, text: string): void {
    this.#put(name, { source: text }, this.#files.get(name)?.inode ?? ++lastId);
    this.#report(name, "changed");
  }

  /** Writes a file under a new name that is ignored, and renames it into place. */
  post(name: string, text: string): void {
    const fresh = `.${++lastId}.new`;
    this.write(fresh, text);
    this.move(fresh, name);
    // The writer closes the file after that.
    this.#report(name, "changed");
  }

  /** Renames a file. Replaces an existing one. */
  move(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file === undefined) throw new Error(`Cannot move ${from}: no such file or directory`);
    this.#files.delete(from);
    this.#files.set(to, file);
    this.#report(from, "gone");
    // The kernel reports both names, then the pair.
    this.#report(to, "changed");
    this.#report(to, isIgnored(from) ? "renamed" : "changed");
  }

  /** Creates a file that cannot be read: it is a FIFO, too large, or not UTF-8. */
  plant(name: string, fault: string): void {
    this.#put(name, { fault }, ++lastId);
    this.#report(name, "changed");
  }

  /** Removes a file. */
  remove(name: string): void {
    this.#files.delete(name);
    this.#report(name, "gone");
  }

  /** Removes the directory with all of its files. Returns a function that brings it back. */
  vanish(): () => void {
    const place = this.#place;
    this.#place = null;
    this.onEvent("rescan");
    return () => {
      this.#place = place;
    };
  }

  /** Replaces the directory by another one, as a mount does. A watch on the previous one does not report that. */
  replace(texts: Readonly<Record<string, string>> = {}): void {
    this.#place = { id: `1:${++lastId}`, files: new Map(), changedMs: Math.floor(this.#clock.wall()) };
    for (const [name, text] of Object.entries(texts)) this.#put(name, { source: text }, ++lastId);
  }

  get #files(): Map<string, File> {
    if (this.#place === null) throw new Error(`${this.path} is not there`);
    return this.#place.files;
  }

  #put(name: string, entry: Entry, inode: number): void {
    this.#files.set(name, { inode, entry, mtimeMs: Math.floor(this.#clock.wall()) });
  }

  #report(name: string, touch: Touch): void {
    if (this.#place !== null) this.#place.changedMs = Math.floor(this.#clock.wall());
    if (name.startsWith("..")) this.onEvent("rescan");
    else if (!isIgnored(name)) this.onEvent({ name, touch });
  }

  #called<T>(operation: Operation, name: string, answer: () => T): T {
    this.calls[operation]++;
    this.#clock.work(this.costMs);
    this.onCall(operation, name);
    return answer();
  }

  #identity(): Identity {
    if (this.#place !== null && this.untrusted !== null) return { fault: this.untrusted, isUntrusted: true };
    return this.#place === null ? { fault: "no such file or directory" } : { id: this.#place.id };
  }

  #names(): string[] | { fault: string } {
    if (this.#place === null) return { fault: "no such file or directory" };
    if (this.unreadable !== null) return { fault: this.unreadable };
    return this.names.filter((name) => !isIgnored(name));
  }

  #stamp(name: string): FileStamp | null {
    const file = this.#place?.files.get(name);
    return file === undefined ? null : this.unreachable === null ? stampOf(file) : faultStamp(this.unreachable);
  }

  #read(name: string): Reading | null {
    const file = this.#place?.files.get(name);
    if (file === undefined) return null;
    const { unreachable: fault } = this;
    return fault === null
      ? { stamp: stampOf(file), entry: file.entry }
      : { stamp: faultStamp(fault), entry: { fault } };
  }

  #remove(name: string): string | null {
    if (this.irremovable !== null) return this.irremovable;
    // A missing file is no fault.
    if (this.#place?.files.delete(name)) this.#report(name, "gone");
    return null;
  }

  #putAway(name: string): null {
    this.rejected.push(name);
    return null;
  }
}

function faultStamp(fault: string): FileStamp {
  return { marks: [fault], changedMs: 0 };
}

/** Returns the stamp of a file, as from Deno: the mtime in milliseconds, and the ctime in seconds. */
function stampOf({ inode, entry, mtimeMs }: File): FileStamp {
  const size = "source" in entry ? entry.source.length : 0;
  return { marks: [inode, size, mtimeMs, Math.floor(mtimeMs / 1000)], changedMs: mtimeMs };
}
