import { nameFault, type ProcessEvent } from "@ncolony/core";
import {
  Alarm,
  Configs,
  type Directory,
  type Host,
  type Log,
  type Mailbox,
  type Passed,
  type Touch,
} from "@ncolony/host";
import { Delivery } from "./delivery.ts";
import { Hold } from "./hold.ts";

/** However often the watch asks for it, everything is looked at no more often than this. */
const MIN_SCAN_GAP_MS = 100;

/** What a lookout needs. */
export interface LookoutOptions {
  /** Where configs are. */
  readonly config: Directory;
  /** Where messages are. */
  readonly mailbox: Mailbox;
  /** How often everything is looked at, in milliseconds. */
  readonly frequencyMs: number;
  /** Beats as long as it looks. */
  readonly heart: Passed;
  /** Where it tells what it finds. */
  readonly log: Log;
  /** Takes the events that follow. */
  readonly post: (name: string, event: ProcessEvent) => void;
  /** Called after each look at everything. */
  readonly onScan: () => void;
}

/**
 * Looks at the config and the messages directory, and posts what follows to the processes.
 *
 * The look at everything, every `frequencyMs`, is what is relied on. The watch only makes looks earlier, and then at just
 * the names that it tells of.
 */
export class Lookout {
  readonly #host: Pick<Host, "clock" | "gid">;
  readonly #options: LookoutOptions;
  readonly #alarm: Alarm;
  readonly #configs: Configs;
  readonly #hold: Hold;
  readonly #delivery: Delivery;
  readonly #abort = new AbortController();
  /** Names that the watch told of, and that may still be written to. */
  readonly #touched = new Set<string>();
  /** Names that the watch told of as renamed into place. */
  readonly #renamed = new Set<string>();
  #isAllMailDue = false;
  #lastScan = -Infinity;
  #nextScan = -Infinity;

  /** Makes one that has looked at nothing yet. */
  constructor(host: Pick<Host, "clock" | "watch" | "lock" | "gid">, options: LookoutOptions) {
    const { config, mailbox, log, post } = options;
    this.#host = host;
    this.#options = options;
    this.#alarm = new Alarm(host.clock);
    this.#configs = new Configs({
      directory: config,
      clock: host.clock,
      log,
      onEvent: (name, event) => this.#onEvent(name, event),
      nextRenamed: () => take(this.#renamed),
    });
    this.#hold = new Hold(host, {
      config,
      mailbox,
      log,
      sink: {
        touched: (directory, name, touch) => this.#onTouched(directory, name, touch),
        rescan: () => this.#scanSoon(),
        // The next look at everything tries again: one that is asked for might fail as soon, again and again.
        failed: () => {},
      },
    });
    this.#delivery = new Delivery({
      clock: host.clock,
      mailbox,
      log,
      specs: this.#configs.specs,
      look: (names) => this.#lookForMessages(names),
      restart: (name) => post(name, { type: "restart" }),
    });
  }

  /**
   * Takes the lock and the watch.
   *
   * @throws {Error} Where a directory is missing, both are the same, or another monitor runs on the messages.
   */
  open(): void {
    this.#hold.open();
  }

  /** Looks until it is stopped. */
  async run(): Promise<void> {
    try {
      while (!this.#abort.signal.aborted) await this.#pass();
    } finally {
      // Now, for it may take long until all has ended, and who is killed meanwhile must not leave what was acted on.
      this.#delivery.tidy();
    }
  }

  /** Looks no more. A look under way is thrown away. */
  stop(): void {
    this.#abort.abort();
    this.#alarm.ring();
  }

  /** Lets go of the directories: only now may another monitor run on them. */
  async close(): Promise<void> {
    this.stop();
    await this.#hold.close();
  }

  /** Looks at what is due, and waits until something is again. */
  async #pass(): Promise<void> {
    const { signal } = this.#abort;
    const { heart } = this.#options;
    const now = this.#host.clock.now();
    if (now >= this.#nextScan) await this.#scan(now);
    else await this.#lookAtTouched(now);
    if (signal.aborted) return;
    await this.#deliver(now);
    heart.pass();
    await this.#alarm.wait(
      Math.min(this.#nextScan, this.#configs.due, this.#delivery.due, this.#delivery.tidyDue, heart.due),
    );
  }

  #onTouched(directory: string, name: string, touch: Touch): void {
    if (directory === this.#options.mailbox.path) {
      // As each message is, once it was acted on: nothing is there to be read.
      if (touch === "gone") this.#delivery.forget(name);
      else this.#delivery.touch(name);
    } else if (touch === "renamed") this.#renamed.add(name);
    else this.#touched.add(name);
    this.#alarm.ring();
  }

  #scanSoon(): void {
    this.#nextScan = Math.min(this.#nextScan, this.#lastScan + MIN_SCAN_GAP_MS);
    this.#alarm.ring();
  }

  async #scan(now: number): Promise<void> {
    this.#lastScan = now;
    this.#nextScan = now + this.#options.frequencyMs;
    await this.#hold.renew();
    if (this.#abort.signal.aborted) return;
    await this.#lookAtTouched(now);
    await this.#configs.lookAtAll(this.#abort.signal);
    this.#isAllMailDue = true;
    this.#options.onScan();
  }

  async #deliver(now: number): Promise<void> {
    if (now >= this.#delivery.tidyDue) this.#tidy();
    const isAllDue = this.#isAllMailDue || this.#delivery.isPostponed || now >= this.#delivery.due;
    if (!isAllDue && !this.#delivery.isTouched) return;
    this.#isAllMailDue = false;
    await this.#delivery.deliver(isAllDue ? "all" : "touched", this.#abort.signal);
    if (!isAllDue && this.#delivery.tidyDue === Infinity) this.#tidy();
  }

  /** Does for messages what nobody waits for. */
  #tidy(): void {
    this.#delivery.tidy();
    // A listing holds named pipes open, at which the watch would wait.
    this.#options.mailbox.names();
  }

  async #lookAtTouched(now: number): Promise<void> {
    if (this.#configs.due <= now) this.#configs.unsettled().forEach((name) => this.#touched.add(name));
    if (this.#touched.size + this.#renamed.size === 0) return;
    const renamed = [...this.#renamed].map((name) => [name, true] as const);
    const touched = [...this.#touched.difference(this.#renamed)].map((name) => [name, false] as const);
    this.#renamed.clear();
    this.#touched.clear();
    await this.#configs.lookAt([...renamed, ...touched], this.#abort.signal);
  }

  async #lookForMessages(names: readonly string[] | "all"): Promise<boolean> {
    await this.#lookAtTouched(this.#host.clock.now());
    if (names === "all") {
      await this.#configs.lookAtAll(this.#abort.signal);
      return this.#configs.due < Infinity;
    }
    // A message may name anything, such as "../secret".
    const possible = names.filter((name) => nameFault(name) === null);
    await this.#configs.lookAt(possible.map((name) => [name, false] as const), this.#abort.signal);
    return possible.some((name) => this.#configs.isUnsettled(name));
  }

  #onEvent(name: string, event: ProcessEvent): void {
    const { log, post } = this.#options;
    if (event.type === "wanted" && event.spec.gid === undefined && event.spec.uid && this.#host.gid === 0) {
      log.warn(`${name}: has a "uid" but no "gid", so it runs with the monitor's gid 0`, name);
    }
    post(name, event);
  }
}

/** Takes one of these, the oldest, out. */
function take<T>(from: Set<T>): T | undefined {
  const [first] = from;
  if (first !== undefined) from.delete(first);
  return first;
}
