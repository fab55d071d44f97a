import { type Cause, nameFault, type Spec } from "@ncolony/core";
import {
  Configs,
  type Directory,
  type Host,
  type Log,
  type MessagesDirectory,
  type Touch,
  type Touched,
  Waker,
  type Watchdog,
} from "@ncolony/host";
import { DirectoryGuard } from "./guard.ts";
import { MessageScanner } from "./message_scanner.ts";
import { ScanGap } from "./scan_gap.ts";
import type { MessageCounts } from "./monitor_facts.ts";
import { MONITOR, type Posted } from "./posted.ts";

/** What {@linkcode Scanner} needs. */
export interface ScannerOptions {
  /** The config directory. */
  readonly config: Directory;
  /** The messages directory. */
  readonly messagesDirectory: MessagesDirectory;
  /** The directories of the monitor's own files, by their use. */
  readonly own: Readonly<Record<string, Directory>>;
  /** The interval between full scans, in milliseconds. */
  readonly frequencyMs: number;
  /** Its heartbeat. */
  readonly heart: Watchdog;
  /** The log. */
  readonly log: Log;
  /** Returns the warnings about a valid config. */
  readonly warningsOf: (spec: Spec) => readonly string[];
  /** Takes what was found out about a config, and then the event that follows from it. */
  readonly post: (posted: Posted) => void;
  /** Called after each full scan, with how long it took, in milliseconds. */
  readonly onScan: (tookMs: number) => void;
}

/**
 * Scans the config and messages directories, and posts the resulting events to the processes.
 *
 * The scanner relies on the full scan every `frequencyMs`. The watch only makes it scan the reported names earlier.
 */
export class Scanner {
  readonly #host: Pick<Host, "clock">;
  readonly #options: ScannerOptions;
  readonly #waker: Waker;
  readonly #configs: Configs;
  readonly #guard: DirectoryGuard;
  readonly #gap: ScanGap;
  readonly #messageScanner: MessageScanner;
  readonly #abort = new AbortController();
  /** Names that the watch reported, and that may still be written to. */
  readonly #touched = new Set<string>();
  /** Names that the watch reported as renamed into place. */
  readonly #renamed = new Set<string>();
  #isGuardDue = false;
  /** Whether the first full scan is over. */
  #hasScanned = false;
  #nextScan = -Infinity;

  /** Creates a scanner. */
  constructor(host: Pick<Host, "clock" | "lack" | "lock" | "watch">, options: ScannerOptions) {
    const { config, messagesDirectory, own, log, post } = options;
    this.#host = host;
    this.#options = options;
    this.#waker = new Waker(host.clock);
    this.#configs = new Configs({
      directory: config,
      clock: host.clock,
      log,
      lack: (spec) => host.lack(spec),
      nextRenamed: () => take(this.#renamed),
    });
    this.#guard = new DirectoryGuard(host, {
      config,
      messagesDirectory,
      own,
      log,
      listener: {
        touched: (directory, name, touch) => this.#onTouched(directory, name, touch),
        rescan: (directory) => this.#onRescan(directory),
        // The next full scan tries again. An earlier scan could fail at once, again and again.
        failed: () => {},
      },
    });
    this.#gap = new ScanGap(host.clock);
    this.#messageScanner = new MessageScanner({
      clock: host.clock,
      messagesDirectory,
      log,
      guard: this.#guard,
      specs: this.#configs.specs,
      scan: (names) => this.#scanForMessages(names),
      retryDue: () => this.#gap.mustWait ? this.#gap.until : Infinity,
      restart: (name, request, askedAt) => {
        post({ name, event: { type: "restart", ...(askedAt === undefined ? {} : { askedAt }) }, why: request });
      },
    });
  }

  /** Why the config directory could not be read. Null if it was. */
  get fault(): string | null {
    return this.#configs.fault;
  }

  /** How many messages were taken and rejected so far. */
  get counts(): MessageCounts {
    return this.#messageScanner.counts;
  }

  /**
   * Takes the lock. The first scan starts the watch.
   *
   * @returns A promise that rejects if another monitor holds the lock, or the messages directory contains a config.
   * @throws {Error} If a directory is missing or may not be used, or two are the same.
   */
  open(): Promise<void> {
    return this.#guard.open();
  }

  /** Scans until it is stopped. */
  async run(): Promise<void> {
    while (!this.#abort.signal.aborted) await this.#pass();
  }

  /** Stops scanning. The rest of a running scan is discarded. */
  stop(): void {
    this.#abort.abort();
    this.#waker.wake();
  }

  /** Releases the directories. Only now may another monitor use them. */
  async close(): Promise<void> {
    this.stop();
    await this.#guard.close();
  }

  /** Scans what is due, and waits until something is due again. */
  async #pass(): Promise<void> {
    const { signal } = this.#abort;
    const { heart } = this.#options;
    const now = this.#host.clock.now();
    const isGuardDue = this.#isGuardDue;
    this.#isGuardDue = false;
    if (now >= this.#nextScan) await this.#scan();
    else if (isGuardDue) await this.#guard.renew();
    await this.#scanTouched(now);
    if (signal.aborted) return;
    await this.#messageScanner.pass(signal);
    heart.beat();
    await this.#waker.wait(Math.min(this.#nextScan, this.#configs.due, this.#messageScanner.due, heart.due));
  }

  #onTouched(directory: string, name: string, touch: Touch): void {
    if (directory === this.#options.messagesDirectory.path) this.#messageScanner.touch(name, touch);
    else if (touch === "renamed") this.#renamed.add(name);
    else this.#touched.add(name);
    this.#waker.wake();
  }

  #onRescan(directory: string | null): void {
    if (directory === this.#options.messagesDirectory.path) {
      this.#isGuardDue = true;
      this.#messageScanner.touchAll();
    } else this.#nextScan = Math.min(this.#nextScan, this.#gap.until);
    this.#waker.wake();
  }

  async #scan(): Promise<void> {
    const begunAt = this.#host.clock.now();
    this.#nextScan = begunAt + this.#options.frequencyMs;
    await this.#guard.renew();
    if (this.#abort.signal.aborted) return;
    await this.#scanTouched(this.#host.clock.now());
    await this.#scanAll();
    // After a stop, nothing may follow the scan.
    if (this.#abort.signal.aborted) return;
    this.#hasScanned = true;
    this.#messageScanner.touchAll();
    this.#options.onScan(this.#host.clock.now() - begunAt);
  }

  async #scanAll(): Promise<void> {
    await this.#gap.after(() => this.#scanConfigs("all"));
  }

  async #scanTouched(now: number): Promise<void> {
    if (this.#configs.due <= now) this.#configs.unsettled().forEach((name) => this.#touched.add(name));
    if (this.#touched.size + this.#renamed.size === 0) return;
    const renamed = [...this.#renamed].map((name) => [name, true] as const);
    const touched = [...this.#touched.difference(this.#renamed)].map((name) => [name, false] as const);
    this.#renamed.clear();
    this.#touched.clear();
    await this.#scanConfigs([...renamed, ...touched]);
  }

  async #scanForMessages(names: readonly string[] | "all"): Promise<boolean> {
    await this.#scanTouched(this.#host.clock.now());
    if (names === "all") {
      if (this.#gap.mustWait) return true;
      await this.#scanAll();
      return this.#configs.due < Infinity;
    }
    // A message may name anything, such as "../secret".
    const possible = names.filter((name) => nameFault(name) === null);
    await this.#scanConfigs(possible.map((name) => [name, false] as const));
    return possible.some((name) => this.#configs.isUnsettled(name));
  }

  /** Scans the given configs, or all, and posts the resulting events. */
  async #scanConfigs(names: Touched | "all"): Promise<void> {
    const { log, post, warningsOf } = this.#options;
    const cause: Cause = this.#hasScanned ? { kind: "config", keys: null } : MONITOR;
    for await (const { name, event, config } of this.#configs.changes(names, this.#abort.signal)) {
      if (event?.type === "wanted") { for (const warning of warningsOf(event.spec)) log.warn(warning, name); }
      // A backup of an editor is a problem to log, but no process.
      if (nameFault(name) === null) post({ name, config });
      if (event !== null) post({ name, event, why: { cause } });
    }
  }
}

/** Removes and returns the oldest element. */
function take<T>(from: Set<T>): T | undefined {
  const [first] = from;
  if (first !== undefined) from.delete(first);
  return first;
}
