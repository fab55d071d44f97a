import type { Entry } from "@ncolony/core";
import {
  Changes,
  type ChangesOptions,
  type Clock,
  type Directory,
  type FileChange,
  type FileStamp,
  type Reading,
} from "@ncolony/host";

/** A clock that stands still until a test moves it. */
export class HandClock implements Clock {
  /** Called when the program yields. */
  onYield: () => void = () => {};
  readonly #wallAtZero = 1_700_000_000_000;
  readonly #timers = new Set<{ at: number; callback: () => void }>();
  #now = 5000;

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallAtZero + this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  yield(): Promise<void> {
    this.onYield();
    return Promise.resolve();
  }

  /** The number of pending calls of `after`. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and calls back what is due, in order. */
  advance(byMs: number): void {
    const end = this.#now + byMs;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }
}

interface FakeFile {
  readonly inode: number;
  readonly mtimeMs: number;
  readonly text: string;
}

/** A directory in memory, which records its readers' accesses. */
export class FakeDirectory implements Directory {
  readonly path = "/config";
  /** The device and inode. */
  id = "1:1";
  /** Why there is no directory, or null. */
  fault: string | null = null;
  /** Called when a name is stamped, before the answer is made. */
  onStamp: (name: string) => void = () => {};
  /** Called when a name is read, before the answer is made. */
  onRead: (name: string) => void = () => {};
  /** The names that were stamped so far. */
  readonly looked: string[] = [];
  readonly #files = new Map<string, FakeFile>();
  readonly #clock: Clock;
  #lastInode = 0;
  #read: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Writes a file in place, or creates it with a new inode. */
  write(name: string, text: string, mtimeMs: number = this.#clock.wall()): void {
    const inode = this.#files.get(name)?.inode ?? ++this.#lastInode;
    this.#files.set(name, { inode, mtimeMs, text });
  }

  /** Renames a file, and replaces an existing one. */
  rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file === undefined) throw new Error(`Cannot rename ${from}: no such file or directory`);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  remove(name: string): void {
    this.#files.delete(name);
  }

  /** Returns the names that were read since the last call. */
  takeRead(): string[] {
    const read = this.#read;
    this.#read = [];
    return read;
  }

  identity(): { id: string } | { fault: string } {
    return this.fault === null ? { id: this.id } : { fault: this.fault };
  }

  stands(id: string): boolean {
    return this.fault === null && this.id === id;
  }

  names(): string[] | { fault: string } {
    return this.fault === null ? [...this.#files.keys()] : { fault: this.fault };
  }

  stamp(name: string): FileStamp | null {
    this.looked.push(name);
    this.onStamp(name);
    const file = this.#files.get(name);
    return file === undefined ? null : stampOf(file);
  }

  read(name: string): Reading | null {
    this.#read.push(name);
    this.onRead(name);
    const file = this.#files.get(name);
    return file === undefined ? null : { stamp: stampOf(file), entry: { source: file.text } };
  }
}

function stampOf({ inode, mtimeMs, text }: FakeFile): FileStamp {
  return { marks: [inode, text.length, mtimeMs], changedMs: mtimeMs };
}

/** The changes that a scan found, by name, or why it failed. */
export type Look = { readonly changes: Map<string, Entry | null> } | { readonly fault: string };

/** A {@linkcode Changes} that returns the changes of each scan together. */
export class CollectedChanges {
  readonly #changes: Changes;

  constructor(directory: Directory, clock: Clock, options: ChangesOptions = {}) {
    this.#changes = new Changes(directory, clock, options);
  }

  get due(): number {
    return this.#changes.due;
  }

  unsettled(): string[] {
    return this.#changes.unsettled();
  }

  isUnsettled(name: string): boolean {
    return this.#changes.isUnsettled(name);
  }

  scanAll(signal?: AbortSignal): Promise<Look> {
    return this.#take(this.#changes.scanAll(signal));
  }

  scan(names: readonly (readonly [name: string, complete: boolean])[], signal?: AbortSignal): Promise<Look> {
    return this.#take(this.#changes.scan(names, signal));
  }

  async #take(found: AsyncIterable<FileChange>): Promise<Look> {
    const changes = new Map<string, Entry | null>();
    for await (const { name, entry } of found) changes.set(name, entry);
    const { fault } = this.#changes;
    return fault === null ? { changes } : { fault };
  }
}

/** Adds the names of changes to a list as they come. */
export async function namesOf(found: AsyncIterable<FileChange>, names: string[]): Promise<void> {
  for await (const { name } of found) names.push(name);
}

/** Replaces a property of an object until the end of the scope. */
export function replace<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): Disposable {
  const before = object[key];
  object[key] = value;
  return { [Symbol.dispose]: () => void (object[key] = before) };
}

/** Makes Deno report that a permission is not granted, until the end of the scope. */
export function deny(name: Deno.PermissionDescriptor["name"], kind?: string): Disposable {
  const { permissions } = Deno;
  const { querySync } = permissions;
  return replace(permissions, "querySync", (permission) => {
    const isDenied = permission.name === name && (permission.name !== "sys" || permission.kind === kind);
    // No test has this permission.
    return querySync.call(permissions, isDenied ? { name: "ffi" } : permission);
  });
}
