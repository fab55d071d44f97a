import type { Entry, Exit, LogLimits, Spec, StopRules, StopSignal } from "@ncolony/core";

/** What is trusted beyond what only root and this program's own user may change. */
export interface TrustOptions {
  /** Trusts everything, whoever may change it. @default {false} */
  readonly allowInsecure?: boolean;
  /** Trusts what lies on a read-only mount, whoever may change it where it comes from. @default {false} */
  readonly trustReadOnlyMount?: boolean;
}

/** Tells the time, and wakes up later. */
export interface Clock {
  /** Milliseconds that only grow, from an arbitrary zero. */
  now(): number;
  /** Milliseconds since 1970: only to be compared with the times of files. */
  wall(): number;
  /** Calls back once after `delayMs`, unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void;
  /** Resolves after everything else that is ready had its turn. */
  yield(): Promise<void>;
}

/** One look at a name of a directory, without opening it. */
export interface FileStamp {
  /** Any differs when the file may have changed, the first when it is another one: inode, size, times, owner and mode, or why it cannot be looked at. */
  readonly marks: readonly (number | string)[];
  /** The time of its last change, in milliseconds since 1970. */
  readonly changedMs: number;
}

/** A file that was read, or why it could not be. */
export interface Reading {
  /** What it looked like when it was opened. */
  readonly stamp: FileStamp;
  /** Its text, or what is wrong with it. */
  readonly entry: Entry;
  /** Whether the system failed, and not the file: then it may be read later, though nothing about it changed. */
  readonly isTransient?: boolean;
}

/** Which directory stands at a path (device and inode), or why there is none, or it may not be used. */
export type Identity =
  | { readonly id: string }
  | { readonly fault: string; /** Whether others could change it, or the way there. */ readonly isUntrusted?: boolean };

/** A directory of config files. No method throws for what other programs may do to the directory. */
export interface Directory {
  /** Where it is, as an absolute path. */
  readonly path: string;
  /** Which directory stands at the path now. */
  identity(): Identity;
  /** Whether a directory that was found before still stands at the path, which takes less than to find out which does. */
  stands(id: string): boolean;
  /** The names in it, each once, less directories and those that are ignored; or why they cannot be listed. */
  names(): string[] | { readonly fault: string };
  /** Looks at a name; null where there is nothing, or a directory. */
  stamp(name: string): FileStamp | null;
  /** Reads a file, if it is a regular one and not too large; null where there is nothing. */
  read(name: string): Reading | null;
}

/** A directory of messages, whose files end up removed. */
export interface MessagesDirectory extends Directory {
  /** Reads and removes in the directory at another path from now on, which leads nowhere else; null: at its own. */
  use(at: string | null): void;
  /** When a name in it changed last, in milliseconds since 1970; null where that is not known. */
  changedMs(): number | null;
  /** Removes a message; says why where it cannot. */
  remove(name: string): string | null;
  /** Whether others than root and this program's user may write it, and so ask for restarts. */
  isShared(): boolean;
  /** Puts a message that is wrong away; says why it stays where that cannot be done. */
  reject(name: string): string | null;
}

/** How a name changed: it was renamed into place, nothing was there a moment ago, or anything else. */
export type Touch = "renamed" | "gone" | "changed";

/** A directory that is held open, and that no other program may lock meanwhile. */
export interface DirectoryLock extends Disposable {
  /** A path that leads to the directory, whatever comes to stand where it stood, if `isPinned`. */
  readonly path: string;
  /** Whether `path` leads nowhere else. */
  readonly isPinned: boolean;
  /** A path of the lock file, which leads nowhere else, if `isPinned`. */
  readonly file: string;
  /** Why there is no lock file, and another program may lock the directory; or null. */
  readonly fault: string | null;
  /** Whether the lock file is still there, so that others see that it is locked. */
  readonly isHeld: boolean;
}

/** What a watch tells. All of it is only a reason to look. */
export interface WatchListener {
  /** A name in one of the directories changed. */
  touched(directory: string, name: string, touch: Touch): void;
  /** Anything in one of the directories may have changed; null: in any. */
  rescan(directory: string | null): void;
  /** The watch ended. */
  failed(reason: string): void;
}

/** One running watch. */
export interface Watch {
  /** Holds the named pipes open that lie in the directories now, at which it would wait for ever. */
  holdFifos(): void;
  /** Asks it for an answer, which it gives in its time; false where it did not give the last one. */
  check(): boolean;
  /** Ends it. */
  close(): Promise<void>;
}

/** What becomes of a child, told by its adapter: `leaderExited` once, then `groupExited` once. */
export interface ChildListener {
  /** The leader ended, or could not be started. */
  leaderExited(exit: Exit): void;
  /** Nobody is left in the group. */
  groupExited(): void;
  /** Something that a person should know, once. */
  warn(message: string): void;
}

/** A child that was started. */
export interface Child {
  /** The leader's process id, which is also the group's. */
  readonly pid: number;
  /** Whether the last signal was refused by the operating system. */
  readonly refused: boolean;
  /** Sends a signal to whoever is left of it. What is gone already is no error. */
  signal(signal: StopSignal): void;
  /** Sends the last signal again if it was refused. */
  retry(): void;
  /** Names the pids of whoever is left of it, and the state of each, as far as it may know: `pid 4711 (sleeping)`. */
  whoIsLeft(): string;
}

/** Where the output of a child goes. Resolves when more may be given. */
export type OnBytes = (bytes: Uint8Array) => Promise<void> | void;

/** Looks a variable of this program's own environment up. */
export type Environ = (name: string) => string | undefined;

/**
 * Tells a person what happens, one line a call. `process` is the name of the process that it is about: the line begins
 * with it.
 */
export interface Log {
  /** What only a developer wants to know. */
  debug(message: string, process?: string): void;
  /** What happens as it should. */
  info(message: string, process?: string): void;
  /** What somebody should look at. */
  warn(message: string, process?: string): void;
  /** What does not work. */
  error(message: string, process?: string): void;
}

/** What an earlier monitor left of a process, which is there, or may be. */
export interface FoundChild {
  /** The name of the process. */
  readonly name: string;
  /** The pids of the leaders; none where it may just be starting. */
  readonly pids: readonly number[];
  /** False where one of these may as well be a stranger that was given the same pid: then none is signalled. */
  readonly isKnown: boolean;
  /** How it is stopped. */
  readonly rules: StopRules;
  /** Tells `listener` its end. */
  open(listener: ChildListener): Child;
}

/** One file per running process, its pid in decimal, and what is needed to know the process by after a crash. */
export interface PidFiles {
  /** Their directory; null where there is none. */
  readonly path: string | null;
  /**
   * Takes the directory for this monitor alone; says why it cannot see to that.
   *
   * @throws {Error} Where another monitor has it.
   */
  lock(): Promise<string | null>;
  /** Finds what earlier monitors left running; what else they wrote is removed. */
  findChildren(config: Directory): Promise<readonly FoundChild[]>;
  /** Notes a process before it is started; says why it cannot. */
  prepare(spec: Spec): string | null;
  /** Writes the pid of a process that was started; says why it cannot. */
  write(spec: Spec, pid: number): string | null;
  /** Removes the pid of a process whose leader ended, of whose group somebody may be left; says why it cannot. */
  removePid(name: string): string | null;
  /** Removes all that was written of a process; says why it cannot. */
  remove(name: string): string | null;
  /** Writes or removes again what is not as it should be; says why it cannot. */
  restore(): string | null;
  /** Lets go of what it holds. */
  close(): void;
}

/** All that a program needs of the operating system. */
export interface Host {
  /** The time. */
  readonly clock: Clock;
  /** Opens a config directory. */
  directory(path: string, trust?: TrustOptions): Directory;
  /** Opens a messages directory. */
  messagesDirectory(path: string, trust?: TrustOptions): MessagesDirectory;
  /** Watches directories, and a file of this program's own by which it is asked. @throws {Error} Where that cannot be done. */
  watch(paths: readonly string[], listener: WatchListener, probe?: string | null): Watch;
  /** Takes the lock on a directory; null where somebody else holds it for so long. @throws {Error} Where there is no such directory. */
  lock(path: string, patienceMs: number): Promise<DirectoryLock | null>;
  /** Makes a directory for pid files; null: none are written. @throws {Error} Where that cannot be done, or others may write it. */
  pidFiles(path: string | null, trust?: TrustOptions): PidFiles;
  /** Makes a directory for log files of children; `fallback` takes the output of one whose file cannot be written for good. @throws {Error} Where that cannot be done, or others may write it. */
  logs(path: string, log: Log, fallback: (name: string) => ChildOutput, trust?: TrustOptions): ChildLogs;
  /** Starts a child in a group of its own; null where that fails, which `listener` is told as the child's end. */
  spawn(spec: Spec, output: ChildOutput, listener: ChildListener): Child | null;
  /** The group that this program runs as, or null where it may not know. */
  readonly gid: number | null;
}

/** One log file per process. */
export interface ChildLogs {
  /** Makes what takes the output of one child. */
  forChild(name: string, limits: LogLimits): ChildOutput;
  /** Resolves when all was written, or after `deadlineMs`: what could not be written by then is lost. */
  flush(deadlineMs: number): Promise<void>;
}

/** Where the two streams of a child go. */
export interface ChildOutput {
  /** Takes the next bytes of a stream. */
  readonly stdout: OnBytes;
  /** Takes the next bytes of a stream. */
  readonly stderr: OnBytes;
  /** Passes on what is left when both have ended. */
  end(): void;
}
