import type { Clock, Log, MessagesDirectory, Touch } from "@ncolony/host";
import type { DirectoryGuard } from "./guard.ts";
import { LimitedLog } from "./limited_log.ts";
import { Messages, type MessagesOptions } from "./messages.ts";
import { Poll } from "./poll.ts";
import { Restarts, type RestartsOptions } from "./restarts.ts";

/** So many messages are looked at together in a directory that others may write. */
const MAX_SHARED_NAMES = 1000;

/** What {@linkcode MessageScanner} needs. */
export interface MessageScannerOptions
  extends Pick<MessagesOptions, "specs" | "scan">, Pick<RestartsOptions, "restart"> {
  /** The time. */
  readonly clock: Clock;
  /** Where the messages are. */
  readonly messagesDirectory: MessagesDirectory;
  /** Where it tells what it does. */
  readonly log: Log;
  /** What keeps the directory. */
  readonly guard: Pick<DirectoryGuard, "hasMessages" | "isShared" | "holdFifos">;
  /** When what waits for a look at all configs is to be tried again, in the clock's milliseconds; else Infinity. */
  readonly retryDue: () => number;
}

/**
 * Says when messages are to be dealt with: those of a directory of our own when the watch tells of them, and all now and
 * then; those of one that others may write a few times a second, and no more than others leave time and room for.
 */
export class MessageScanner {
  readonly #options: MessageScannerOptions;
  readonly #log: LimitedLog;
  readonly #restarts: Restarts;
  readonly #messages: Messages;
  readonly #poll: Poll;
  #isAllDue = false;

  /** Makes one that has looked at nothing yet. */
  constructor(options: MessageScannerOptions) {
    const { clock, guard, log, messagesDirectory, restart } = options;
    this.#options = options;
    this.#log = new LimitedLog(log, clock, () => guard.isShared);
    this.#restarts = new Restarts({ clock, restart });
    this.#messages = new Messages({ ...options, log: this.#log, restart: (name) => this.#restarts.ask(name) });
    this.#poll = new Poll(clock, messagesDirectory);
  }

  /** When it is to be passed, in the clock's milliseconds. */
  get due(): number {
    const { due, isPostponed } = this.#messages;
    const messagesDue = this.#options.guard.isShared ? this.#poll.due : isPostponed ? this.#options.retryDue() : due;
    return Math.min(messagesDue, this.#restarts.due);
  }

  /** Takes note that a message came, changed or went. */
  touch(name: string, touch: Touch): void {
    // As each message does, once it was acted on: nothing is there to be read.
    if (touch === "gone") this.#messages.forget(name);
    else this.#messages.touch(name);
  }

  /** Has all messages looked at. */
  touchAll(): void {
    this.#isAllDue = true;
  }

  /** Deals with what is due. */
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

  /** Deals with all messages, but no more than so many; true where those were all. */
  async #deliverAll(signal: AbortSignal, maxNames: number): Promise<boolean> {
    this.#isAllDue = false;
    if (this.#options.guard.hasMessages) return await this.#messages.deliver("all", signal, maxNames);
    this.#messages.forgetUnread();
    return false;
  }
}
