import { type Entry, isIgnored } from "@ncolony/core";
import type { FileStamp, Identity, MessagesDirectory, Reading, Touch } from "@ncolony/host";
import type { FakeClock } from "./fake_clock.ts";

/** What the monitor can ask of a directory. */
export type Operation = "identity" | "names" | "stamp" | "read" | "remove" | "reject";

/** What a watch is told of a directory. */
export type DirectoryEvent = { readonly name: string; readonly touch: Touch } | "rescan";

interface File {
  readonly inode: number;
  readonly entry: Entry;
  readonly mtimeMs: number;
}

/** What stands at a path: another one, with another id, may come in its place. */
interface Place {
  readonly id: string;
  readonly files: Map<string, File>;
  /** When a name in it changed last. */
  changedMs: number;
}

let lastId = 0;

/**
 * A directory in memory, for configs or for messages. Its methods are what other programs do to it; `port` is what the
 * monitor sees of it.
 */
export class FakeDirectory {
  /** Where it is. */
  readonly path: string;
  /** What the monitor sees of it. */
  readonly port: MessagesDirectory;
  /** How often the monitor asked for each operation. */
  readonly calls: Record<Operation, number> = { identity: 0, names: 0, stamp: 0, read: 0, remove: 0, reject: 0 };
  /** The messages that were put away, in this order. */
  readonly rejected: string[] = [];
  /** Whether others may write it. */
  isShared = false;
  /** Why it may not be used though it is there, or null. */
  untrusted: string | null = null;
  /** Where it is to be read instead of at its path, or null. */
  usedAt: string | null = null;
  /** How long each operation takes. */
  costMs = 0;
  /** Why its names cannot be listed, or null. */
  unreadable: string | null = null;
  /** Why nothing in it can be looked at, or null: its x bit is missing. */
  unreachable: string | null = null;
  /** Why nothing in it can be removed or put away, or null. */
  irremovable: string | null = null;
  /** What other programs do to it between a call of the monitor and its answer. */
  onCall: (operation: Operation, name: string) => void = () => {};
  /** Where its events go. */
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

  /** How many operations the monitor asked for. */
  get callCount(): number {
    return Object.values(this.calls).reduce((sum, count) => sum + count, 0);
  }

  /** Which directory stands at the path, or null. */
  get id(): string | null {
    return this.#place?.id ?? null;
  }

  /** The names of all that is in it, in no order. */
  get names(): string[] {
    return [...this.#place?.files.keys() ?? []];
  }

  /** The text of every file that has one. */
  texts(): Record<string, string> {
    const texts = [...this.#files].flatMap(([name, { entry }]) => "source" in entry ? [[name, entry.source]] : []);
    return Object.fromEntries(texts);
  }

  /** Writes a file in place, under a new inode where it is new: `cp`, `echo >`. */
  write(name: string, text: string): void {
    this.#put(name, { source: text }, this.#files.get(name)?.inode ?? ++lastId);
    this.#tell(name, "changed");
  }

  /** Writes a file under a fresh name that is ignored, and renames it into place. */
  post(name: string, text: string): void {
    const fresh = `.${++lastId}.new`;
    this.write(fresh, text);
    this.move(fresh, name);
    // The writer closes it after that.
    this.#tell(name, "changed");
  }

  /** Renames a file, over another one where there is one. */
  move(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file === undefined) throw new Error(`Cannot move ${from}: it is not there`);
    this.#files.delete(from);
    this.#files.set(to, file);
    this.#tell(from, "gone");
    // The kernel tells of both names, then of the pair.
    this.#tell(to, "changed");
    this.#tell(to, isIgnored(from) ? "renamed" : "changed");
  }

  /** Puts something there that cannot be read: a FIFO, what is too large, or not UTF-8. */
  plant(name: string, fault: string): void {
    this.#put(name, { fault }, ++lastId);
    this.#tell(name, "changed");
  }

  /** Removes a file. */
  remove(name: string): void {
    this.#files.delete(name);
    this.#tell(name, "gone");
  }

  /** Takes the directory itself away, with all that is in it, and gives what brings it back. */
  vanish(): () => void {
    const place = this.#place;
    this.#place = null;
    this.onEvent("rescan");
    return () => {
      this.#place = place;
    };
  }

  /** Puts another directory in its place, of which no watch of the one before tells, as a mount does. */
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

  #tell(name: string, touch: Touch): void {
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
    return this.#place === null ? { fault: "is not there" } : { id: this.#place.id };
  }

  #names(): string[] | { fault: string } {
    if (this.#place === null) return { fault: "is not there" };
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
    // Gone is what was wanted.
    if (this.#place?.files.delete(name)) this.#tell(name, "gone");
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

/** As the operating system shows a file through Deno: times in milliseconds, that of the last change in seconds. */
function stampOf({ inode, entry, mtimeMs }: File): FileStamp {
  const size = "source" in entry ? entry.source.length : 0;
  return { marks: [inode, size, mtimeMs, Math.floor(mtimeMs / 1000)], changedMs: mtimeMs };
}
