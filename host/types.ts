import type { Entry, Lack, LogFields, LogLimits, Spec, StopRules } from "@ncolony/core";
import type { Child, ChildListener, ChildOutput } from "./child_types.ts";
import type { StatusFiles } from "./status_types.ts";

export type { Child, ChildListener, ChildOutput, OnBytes, Usage } from "./child_types.ts";
export type { StatusFiles } from "./status_types.ts";

/** What is trusted in addition to what only root and the current user may change. */
export interface TrustOptions {
  /** Trusts everything, no matter who may change it. @default {false} */
  readonly allowInsecure?: boolean;
  /** Trusts what is on a read-only mount, even if other users may change its source. @default {false} */
  readonly trustReadOnlyMount?: boolean;
}

/** Tells the time and sets timers. */
export interface Clock {
  /** Monotonic time in milliseconds, from an arbitrary zero. */
  now(): number;
  /** Wall clock time, in milliseconds since 1970. It may jump. */
  wall(): number;
  /** Calls back once after `delayMs`, unless the returned function is called first. */
  after(delayMs: number, callback: () => void): () => void;
  /** Resolves after all other work that is ready has had its turn. */
  yield(): Promise<void>;
}

/** The state of a name in a directory, seen without opening the file. */
export interface FileStamp {
  /**
   * Inode, size, times, owner and mode, or why they cannot be seen. If any differs, the file may have changed; if the
   * first differs, it is another file.
   */
  readonly marks: readonly (number | string)[];
  /** When the file last changed, in milliseconds since 1970. */
  readonly changedMs: number;
}

/** A file that was read, or why it could not be. */
export interface Reading {
  /** The state of the file when it was opened. */
  readonly stamp: FileStamp;
  /** Its text, or what is wrong with it. */
  readonly entry: Entry;
  /** Whether the fault is the system's, not the file's: a later read may succeed although the file did not change. */
  readonly isTransient?: boolean;
}

/** The directory at a path (device and inode), or why there is none or it may not be used. */
export type Identity =
  | { readonly id: string }
  | { readonly fault: string; /** Whether others could change it, or the way there. */ readonly isUntrusted?: boolean };

/** A directory of config files. No method throws because of what other programs do to the directory. */
export interface Directory {
  /** Its absolute path. */
  readonly path: string;
  /** The directory that is at the path now. */
  identity(): Identity;
  /** Whether the directory with this id is still at the path. This is cheaper than {@linkcode Directory.identity}. */
  stands(id: string): boolean;
  /** The names in it, each once, without directories and ignored names; or why they cannot be listed. */
  names(): string[] | { readonly fault: string };
  /** The state of a name. Null if it does not exist or is a directory. */
  stamp(name: string): FileStamp | null;
  /** Reads a file if it is a regular file and not too large. Null if it does not exist. */
  read(name: string): Reading | null;
}

/** A directory of messages, which are removed in the end. */
export interface MessagesDirectory extends Directory {
  /** Reads and removes messages at another path from now on, one that leads nowhere else. Null: at its own path. */
  use(at: string | null): void;
  /** When a name in it last changed, in milliseconds since 1970. Null if unknown. */
  changedMs(): number | null;
  /** Removes a message. Returns why if that fails. */
  remove(name: string): string | null;
  /** Whether users other than root and the current user may write to it, and so ask for restarts. */
  isShared(): boolean;
  /** Moves an invalid message away. Returns why if that fails. */
  reject(name: string): string | null;
}

/** How a name changed: it was renamed into place, it was missing a moment ago, or anything else. */
export type Touch = "renamed" | "gone" | "changed";

/** A directory that is held open and that no other program can lock. */
export interface DirectoryLock extends Disposable {
  /** A path of the directory. If `isPinned`, it leads to this directory even if another one takes its place. */
  readonly path: string;
  /** Whether `path` always leads to this directory. */
  readonly isPinned: boolean;
  /** A path of the lock file. If `isPinned`, it always leads to this file. */
  readonly file: string;
  /** Why there is no lock file, so that another program can lock the directory. Null if there is one. */
  readonly fault: string | null;
  /** Whether the lock file is still there, so that other programs see the lock. */
  readonly isHeld: boolean;
}

/** What a watch reports. Each report is only a reason to scan. */
export interface WatchListener {
  /** A name in one of the directories changed. */
  touched(directory: string, name: string, touch: Touch): void;
  /** Anything in the directory may have changed; null: in any of them. */
  rescan(directory: string | null): void;
  /** The watch ended. */
  failed(reason: string): void;
}

/** A running watch. */
export interface Watch {
  /** Holds open the FIFOs that are in the directories now. The watch would hang at them. */
  holdFifos(): void;
  /** Asks the watch for an answer, which comes later. Returns false if the last answer is overdue. */
  check(): boolean;
  /** Ends the watch. */
  close(): Promise<void>;
}

/** Looks up an environment variable of this program. */
export type Environ = (name: string) => string | undefined;

/** Logs events, one line per call, which begins with the name of the process, if given. Only JSON lines have `fields`. */
export interface Log {
  /** Logs details for developers. */
  debug(message: string, process?: string, fields?: LogFields): void;
  /** Logs normal events. */
  info(message: string, process?: string, fields?: LogFields): void;
  /** Logs what needs attention. */
  warn(message: string, process?: string, fields?: LogFields): void;
  /** Logs what does not work. */
  error(message: string, process?: string, fields?: LogFields): void;
}

/** Leftover processes: what an earlier monitor started under one name, and what still runs or may still run. */
export interface FoundChild {
  /** The name of the process. */
  readonly name: string;
  /** The pids of the leaders. Empty if the process may be just starting. */
  readonly pids: readonly number[];
  /** False if one of the pids may belong to an unrelated process by now. Such a pid is not signaled. */
  readonly isKnown: boolean;
  /** How the process is stopped. */
  readonly rules: StopRules;
  /** Reports its end to `listener`. */
  open(listener: ChildListener): Child;
}

/** One file per running process that holds its pid in decimal, and what identifies the processes after a crash. */
export interface PidFiles {
  /** The directory of these files. Null if there is none. */
  readonly path: string | null;
  /**
   * Locks the directory for this monitor. Returns why if that fails.
   *
   * @throws {Error} If another monitor has locked it.
   */
  lock(): Promise<string | null>;
  /** Finds leftover processes of earlier monitors, and removes the files of all others. */
  findChildren(config: Directory): Promise<readonly FoundChild[]>;
  /** Records a process before it is started. Returns why if that fails. */
  prepare(spec: Spec): string | null;
  /** Writes the pid of a process that was started. Returns why if that fails. */
  write(spec: Spec, pid: number): string | null;
  /** Removes the pid of a process whose leader exited and whose kill scope may not be empty. Returns why if that fails. */
  removePid(name: string): string | null;
  /** Removes everything that was written about a process. Returns why if that fails. */
  remove(name: string): string | null;
  /** Writes missing files and removes stale files again. Returns why if that fails. */
  restore(): string | null;
  /** Closes the files and releases the lock. */
  close(): void;
}

/** Everything that a program needs from the operating system. */
export interface Host {
  /** The time. */
  readonly clock: Clock;
  /** Creates a directory and its parents if they are missing. @throws {Error} If that fails. */
  createDirectory(path: string, trust?: TrustOptions): void;
  /** Opens a config directory. */
  directory(path: string, trust?: TrustOptions): Directory;
  /** Opens a messages directory. */
  messagesDirectory(path: string, trust?: TrustOptions): MessagesDirectory;
  /** Watches directories, and a file of this program that serves to ask the watch. @throws {Error} If it cannot. */
  watch(paths: readonly string[], listener: WatchListener, probe?: string | null): Watch;
  /** Locks a directory. Null if another process holds the lock for that long. @throws {Error} If it does not exist. */
  lock(path: string, timeoutMs: number): Promise<DirectoryLock | null>;
  /** Creates a directory of pid files, or none if `path` is null. @throws {Error} If it cannot be made or trusted. */
  pidFiles(path: string | null, trust?: TrustOptions): PidFiles;
  /** Creates a status directory. @throws {Error} If it cannot be made or trusted. */
  statusFiles(path: string, trust?: TrustOptions): StatusFiles;
  /**
   * Creates a directory of log files; `fallback` takes the output of a process whose file cannot be written for a
   * lasting reason.
   *
   * @throws {Error} If it cannot be made or trusted.
   */
  logs(path: string, log: Log, fallback: (name: string) => ChildOutput, trust?: TrustOptions): ChildLogs;
  /** Finds out what it offers. */
  open(): Promise<void>;
  /** The widest kill scope that it offers, and why that is not wider: `session (cgroup v2 is not mounted)`. */
  readonly killScope: string;
  /** Returns what keeps a valid config from being used here. Null if nothing does. */
  lack(spec: Spec): Lack | null;
  /** Returns null if a child can be started now. Otherwise resolves when it can. */
  ready(): Promise<void> | null;
  /** Starts a child in a session of its own. If that fails, reports it to `listener` as an exit and returns null. */
  spawn(spec: Spec, output: ChildOutput, listener: ChildListener): Child | null;
  /** The pid of this program. */
  readonly pid: number;
  /** The group id that this program runs as. Null if it may not know. */
  readonly gid: number | null;
  /** Releases what {@linkcode Host.open} took. */
  close(): Promise<void>;
}

/** One log file per process. */
export interface ChildLogs {
  /** Creates the output of one child: the start of a process with this number. */
  forChild(name: string, limits: LogLimits, start: number): ChildOutput;
  /** Notes how the child of a process exited. */
  exited(name: string, how: string): void;
  /** Resolves when everything was written, or after `deadlineMs`. What is not written by then is lost. */
  flush(deadlineMs: number): Promise<void>;
}
