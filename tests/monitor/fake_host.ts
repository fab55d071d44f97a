import { type Lack, type Spec, stopRulesOf } from "@ncolony/core";
import type {
  Child,
  ChildListener,
  ChildLogs,
  ChildOutput,
  Directory,
  DirectoryLock,
  FoundChild,
  Host,
  Log,
  MessagesDirectory,
  PidFiles,
  StatusFiles,
  Watch,
  WatchListener,
} from "@ncolony/host";
import { createLog } from "../../host/output/log.ts";
import { FakeChildren } from "./fake_children.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeDirectory } from "./fake_directory.ts";
import { FakeWatches } from "./fake_watches.ts";

/** A log that keeps its lines: `INFO web: gone -> running (wanted), pid 101`. */
export class FakeLog implements Log {
  /** All lines. */
  readonly lines: string[] = [];
  readonly #log: Log;
  #taken = 0;

  constructor(journal: string[]) {
    this.#log = createLog("debug", "text", (line) => {
      const [, level, message] = /^\S+ (\S+) (.*)\n$/.exec(line)!;
      this.lines.push(`${level} ${message}`);
      journal.push(`log ${message}`);
    });
  }

  debug(...line: Parameters<Log["debug"]>): void {
    this.#log.debug(...line);
  }

  info(...line: Parameters<Log["info"]>): void {
    this.#log.info(...line);
  }

  warn(...line: Parameters<Log["warn"]>): void {
    this.#log.warn(...line);
  }

  error(...line: Parameters<Log["error"]>): void {
    this.#log.error(...line);
  }

  /** Returns the lines since the previous `take()`. */
  take(): string[] {
    const lines = this.lines.slice(this.#taken);
    this.#taken = this.lines.length;
    return lines;
  }

  /** Returns how many lines contain a text. */
  count(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }
}

/** Pid files in memory. */
export class FakePidFiles implements PidFiles {
  readonly path = "/pids";
  /** Why the pid directory cannot be locked, or null. */
  lockFault: string | null = null;
  /** The error that `lock()` throws, or null. */
  lockError: Error | null = null;
  /** The pid of each name. */
  readonly files = new Map<string, number>();
  /** The config of each name that is, or is about to be, started. */
  readonly configs = new Map<string, string>();
  /** Why no pid file can be written, or null. */
  writeFault: string | null = null;
  /** Why no pid file can be removed, or null. */
  removeFault: string | null = null;
  /** How often `restore()` was called. */
  restored = 0;
  readonly #journal: string[];
  readonly #children: FakeChildren;

  constructor(journal: string[], children: FakeChildren) {
    this.#journal = journal;
    this.#children = children;
  }

  async lock(): Promise<string | null> {
    await Promise.resolve();
    if (this.lockError !== null) throw this.lockError;
    return this.lockFault;
  }

  /** Finds the running processes of known configs, as the real one does in /proc. */
  async findChildren(config: Directory): Promise<FoundChild[]> {
    const found: FoundChild[] = [];
    for (const child of this.#children.started.filter(({ isEmptied }) => !isEmptied)) {
      const { name, source } = child.spec;
      const entry = (await config.read(name))?.entry;
      if (this.configs.get(name) !== source && !(entry && "source" in entry && entry.source === source)) continue;
      found.push({
        name,
        pids: [child.pid],
        isKnown: true,
        rules: stopRulesOf(child.spec),
        open: (sink) => child.adopt(sink),
      });
    }
    for (const name of [...this.files.keys()]) if (!found.some((it) => it.name === name)) this.files.delete(name);
    return found;
  }

  prepare({ name, source }: Spec): string | null {
    this.configs.set(name, source);
    return null;
  }

  write({ name }: Spec, pid: number): string | null {
    this.#journal.push(`write pid ${name}`);
    if (this.writeFault === null) this.files.set(name, pid);
    return this.writeFault;
  }

  remove(name: string): string | null {
    this.configs.delete(name);
    return this.removePid(name);
  }

  removePid(name: string): string | null {
    if (!this.files.has(name)) return null;
    this.#journal.push(`remove pid ${name}`);
    if (this.removeFault === null) this.files.delete(name);
    return this.removeFault;
  }

  restore(): string | null {
    this.restored++;
    return this.writeFault ?? this.removeFault;
  }

  close(): void {}
}

/** A host in memory, with directories `/config` and `/messages`. Nothing happens unless a test makes it happen. */
export class FakeHost implements Host {
  readonly clock = new FakeClock();
  /** What was done and logged, in order, one line each. */
  readonly journal: string[] = [];
  readonly log = new FakeLog(this.journal);
  readonly children = new FakeChildren(this.clock, this.journal);
  readonly pids = new FakePidFiles(this.journal, this.children);
  readonly watches = new FakeWatches((path) => this.at(path));
  /** The ids of the locked directories. */
  readonly locks = new Set<string>();
  /** The ids of the directories whose lock file is gone, so that other monitors can lock them. */
  readonly lostLocks = new Set<string>();
  /** Why no lock file can be created, or null. */
  lockFault: string | null = null;
  /** Whether a locked directory stays in use wherever it is moved to. */
  isPinned = false;
  /** The error that `lock()` throws, or null. */
  lockError: Error | null = null;
  /** The error that `pidFiles()` throws, or null. */
  pidError: Error | null = null;
  gid: number | null = 1000;
  readonly #directories = new Map<string, FakeDirectory>();
  readonly config = this.at("/config");
  readonly messages = this.at("/messages");

  /** Returns the directory at a path. */
  at(path: string): FakeDirectory {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const directory = new FakeDirectory(path, this.clock);
    directory.onEvent = (event) => this.watches.pass(directory, event);
    this.#directories.set(path, directory);
    return directory;
  }

  directory(path: string): Directory {
    return this.at(path).port;
  }

  messagesDirectory(path: string): MessagesDirectory {
    return this.at(path).port;
  }

  watch(paths: readonly string[], sink: WatchListener, probe?: string | null): Watch {
    return this.watches.watch(paths, sink, probe);
  }

  lock(path: string): Promise<DirectoryLock | null> {
    const { id } = this.at(path);
    if (this.lockError !== null) return Promise.reject(this.lockError);
    if (id === null) return Promise.reject(new Error(`Cannot lock ${path}: no such file or directory`));
    if (this.locks.has(id)) return Promise.resolve(null);
    this.locks.add(id);
    let isOpen = true;
    const isHeld = () => isOpen && !this.lostLocks.has(id);
    return Promise.resolve({
      path,
      file: `${path}/.lock`,
      fault: this.lockFault,
      isPinned: this.isPinned,
      get isHeld() {
        return isHeld();
      },
      [Symbol.dispose]: () => {
        if (isHeld()) this.locks.delete(id);
        isOpen = false;
      },
    });
  }

  pidFiles(path: string | null): PidFiles {
    if (path === null) return new FakePidFiles([], new FakeChildren(this.clock, []));
    if (this.pidError !== null) throw this.pidError;
    return this.pids;
  }

  readonly pid = 4711;

  createDirectory(): void {
    throw new Error("no directories are created on this machine");
  }

  statusFiles(): StatusFiles {
    throw new Error("no status files on this machine");
  }

  logs(): ChildLogs {
    throw new Error("no log files on this machine");
  }

  /** What keeps a spec from being used, or null. */
  lack: (spec: Spec) => Lack | null = () => null;

  readonly killScope = "session (a fake)";

  open(): Promise<void> {
    return Promise.resolve();
  }

  ready(): null {
    return null;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  spawn(spec: Spec, output: ChildOutput, sink: ChildListener): Child | null {
    return this.children.spawn(spec, output, sink);
  }
}
