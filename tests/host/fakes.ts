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
  /** What happens when somebody gives the others their turn. */
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

  /** How many calls of `after` still wait for their time. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and calls back whoever is due, in order. */
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

/** A directory in memory, which counts who reads it. */
export class FakeDirectory implements Directory {
  readonly path = "/config";
  /** The device and inode. */
  id = "1:1";
  /** Why there is no directory, or null. */
  fault: string | null = null;
  /** What happens when somebody looks at a name, before the answer is made. */
  onStamp: (name: string) => void = () => {};
  /** What happens when somebody reads a name, before the answer is made. */
  onRead: (name: string) => void = () => {};
  /** The names that were looked at. */
  readonly looked: string[] = [];
  readonly #files = new Map<string, FakeFile>();
  readonly #clock: Clock;
  #lastInode = 0;
  #read: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Writes a file in place, under a new inode where it is new. */
  write(name: string, text: string, mtimeMs: number = this.#clock.wall()): void {
    const inode = this.#files.get(name)?.inode ?? ++this.#lastInode;
    this.#files.set(name, { inode, mtimeMs, text });
  }

  /** Renames a file, over another one where there is one. */
  rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file === undefined) throw new Error(`Cannot rename ${from}: it is not there`);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  remove(name: string): void {
    this.#files.delete(name);
  }

  /** The names that were read since this was last called. */
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

/** What a look found, name by name; or why it could not look. */
export type Look = { readonly changes: Map<string, Entry | null> } | { readonly fault: string };

/** {@linkcode Changes} that give what each look found together. */
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

/** Takes the names of what changed, as they come. */
export async function namesOf(found: AsyncIterable<FileChange>, names: string[]): Promise<void> {
  for await (const { name } of found) names.push(name);
}

/** Puts something in the place of what an object has, until the end of the scope. */
export function replace<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): Disposable {
  const before = object[key];
  object[key] = value;
  return { [Symbol.dispose]: () => void (object[key] = before) };
}

/** Has Deno say that a permission is not granted, until the end of the scope. */
export function deny(name: Deno.PermissionDescriptor["name"], kind?: string): Disposable {
  const { permissions } = Deno;
  const { querySync } = permissions;
  return replace(permissions, "querySync", (permission) => {
    const isDenied = permission.name === name && (permission.name !== "sys" || permission.kind === kind);
    // No test has this one.
    return querySync.call(permissions, isDenied ? { name: "ffi" } : permission);
  });
}
