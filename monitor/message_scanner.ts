import type { Clock, Log, MessagesDirectory, Touch } from "@ncolony/host";
import type { DirectoryGuard } from "./guard.ts";
import { LimitedLog } from "./limited_log.ts";
import { Messages, type MessagesOptions } from "./messages.ts";
import type { MessageCounts } from "./monitor_facts.ts";
import { Poll } from "./poll.ts";
import { Restarts, type RestartsOptions } from "./restarts.ts";

/** How many messages are read at a time in a directory that other users may write. */
const MAX_SHARED_NAMES = 1000;

/** What {@linkcode MessageScanner} needs. */
export interface MessageScannerOptions
  extends Pick<MessagesOptions, "specs" | "scan">, Pick<RestartsOptions, "restart"> {
  /** The time. */
  readonly clock: Clock;
  /** The messages directory. */
  readonly messagesDirectory: MessagesDirectory;
  /** The log. */
  readonly log: Log;
  /** The guard of the messages directory. */
  readonly guard: Pick<DirectoryGuard, "hasMessages" | "isShared" | "holdFifos">;
  /** When the next scan of all configs may start, in the clock's milliseconds; Infinity if it need not wait. */
  readonly retryDue: () => number;
}

/**
 * Decides when messages are processed. If other users may not write the directory, that is when the watch reports them
 * and after each full scan. If they may, the directory is polled a few times per second, with limits on time and
 * number.
 */
export class MessageScanner {
  readonly #options: MessageScannerOptions;
  readonly #log: LimitedLog;
  readonly #restarts: Restarts;
  readonly #messages: Messages;
  readonly #poll: Poll;
  #isAllDue = false;

  /** Creates a scanner. */
  constructor(options: MessageScannerOptions) {
    const { clock, guard, log, messagesDirectory, restart } = options;
    this.#options = options;
    this.#log = new LimitedLog(log, clock, () => guard.isShared);
    this.#restarts = new Restarts({ clock, restart });
    this.#messages = new Messages({
      ...options,
      log: this.#log,
      restart: (name, request) => this.#restarts.ask(name, request),
    });
    this.#poll = new Poll(clock, messagesDirectory);
  }

  /** When {@linkcode pass} must be called, in the clock's milliseconds; Infinity if nothing waits. */
  get due(): number {
    const { due, isPostponed } = this.#messages;
    const messagesDue = this.#options.guard.isShared ? this.#poll.due : isPostponed ? this.#options.retryDue() : due;
    return Math.min(messagesDue, this.#restarts.due);
  }

  /** How many messages were taken and rejected so far. */
  get counts(): MessageCounts {
    return this.#messages.counts;
  }

  /** Notes that a message was created, changed or removed. */
  touch(name: string, touch: Touch): void {
    // Each message is removed after it was acted on, so there is nothing to read.
    if (touch === "gone") this.#messages.forget(name);
    else this.#messages.touch(name);
  }

  /** Makes the next pass read all messages. */
  touchAll(): void {
    this.#isAllDue = true;
  }

  /** Processes what is due. */
  async pass(signal: AbortSignal): Promise<void> {
    const { clock, guard } = this.#options;
    this.#restarts.passOn();
    if (!guard.isShared) return await this.#deliverOwn(signal);
    this.#log.tick();
    if (this.#isAllDue) this.#poll.forget();
    if (clock.now() >= this.#poll.due) await this.#poll.scan(() => this.#deliverAll(signal, MAX_SHARED_NAMES));
  }

  async #deliverOwn(signal: AbortSignal): Promise<void> {
    const { clock, guard } = this.#options;
    if (this.#isAllDue || this.#messages.isPostponed || clock.now() >= this.#messages.due) {
      await this.#deliverAll(signal, Infinity);
    } else if (this.#messages.isTouched) {
      if (guard.hasMessages) await this.#messages.deliver("touched", signal);
      else this.#messages.forgetUnread();
      guard.holdFifos();
    }
  }

  /** Processes at most `maxNames` messages. Resolves with true if those were all. */
  async #deliverAll(signal: AbortSignal, maxNames: number): Promise<boolean> {
    this.#isAllDue = false;
    if (this.#options.guard.hasMessages) return await this.#messages.deliver("all", signal, maxNames);
    this.#messages.forgetUnread();
    return false;
  }
}
