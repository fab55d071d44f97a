import { join } from "@std/path/posix/join";
import { isWithoutProcesses } from "../deno_errors.ts";

/** One cgroup (v2): a directory whose files tell and decide what its processes may do. */
export class Cgroup {
  /** Its directory. */
  readonly path: string;

  /** Refers to the cgroup at a path. Nothing is created. */
  constructor(path: string) {
    this.path = path;
  }

  /** Returns the cgroup of this name below this one. */
  child(name: string): Cgroup {
    return new Cgroup(join(this.path, name));
  }

  /** Creates it. @throws {Error} If it exists, or that fails. */
  create(): void {
    Deno.mkdirSync(this.path);
  }

  /** Returns the names of the cgroups below it. None if it does not exist. */
  names(): string[] {
    return orIfGone(
      [],
      () => [...Deno.readDirSync(this.path)].flatMap(({ name, isDirectory }) => isDirectory ? [name] : []),
    );
  }

  /** Returns the pids in it and in the cgroups below it. None if it does not exist. */
  pids(): number[] {
    const own = orIfGone([], () => this.read("cgroup.procs").split("\n").map(Number));
    // A process of another pid namespace is listed as 0, and a signal to 0 goes to the group of this program.
    return [...own.filter((pid) => pid > 0), ...this.names().flatMap((name) => this.child(name).pids())];
  }

  /** Whether this program is in it, and nothing else. False if that cannot be seen. */
  get isOwnAlone(): boolean {
    try {
      return this.read("cgroup.procs") === `${Deno.pid}\n`;
    } catch {
      return false;
    }
  }

  /** Returns whether a process that is no zombie is in it, or in a cgroup below it. */
  get isPopulated(): boolean {
    return orIfGone(false, () => this.valueOf("cgroup.events", "populated") !== 0);
  }

  /** Returns a number of a file such as `memory.events`, which has a key and a number in each line; 0 if it has not. */
  valueOf(file: string, key: string): number {
    return Number(new RegExp(`^${key} (\\d+)$`, "m").exec(this.read(file))?.[1] ?? 0);
  }

  /** Reads one of its files. @throws {Error} If that fails. */
  read(file: string): string {
    return Deno.readTextFileSync(join(this.path, file));
  }

  /** Reads a file that is a list of words. @throws {Error} If that fails. */
  words(file: string): string[] {
    return this.read(file).trim().split(" ");
  }

  /** Writes one of its files. @throws {Error} If the kernel refuses that. */
  write(file: string, text: string): void {
    Deno.writeTextFileSync(join(this.path, file), text, { create: false });
  }

  /** Moves this program into it, in another thread: this takes up to 25 ms. Rejects if the kernel refuses that. */
  enter(): Promise<void> {
    return Deno.writeTextFile(join(this.path, "cgroup.procs"), `${Deno.pid}`, { create: false });
  }

  /** Does the same at once. @throws {Error} If the kernel refuses that. */
  enterNow(): void {
    this.write("cgroup.procs", `${Deno.pid}`);
  }

  /** Sends SIGKILL to all of its processes at once, and to those that they are just starting. */
  kill(): void {
    this.write("cgroup.kill", "1");
  }

  /** Removes it and the cgroups below it, unless a process is in one of them. Returns whether it is gone. */
  remove(): boolean {
    try {
      if (this.isPopulated) return false;
      for (const name of this.names()) this.child(name).remove();
      Deno.removeSync(this.path);
      return true;
    } catch (error) {
      return error instanceof Deno.errors.NotFound;
    }
  }
}

/** Returns what `read` returns, or `otherwise` if the cgroup was removed or is one of threads. */
function orIfGone<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || isWithoutProcesses(error)) return otherwise;
    throw error;
  }
}
