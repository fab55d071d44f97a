import { quotedName } from "@ncolony/core";
import {
  type Clock,
  type FileStamp,
  isSameStamp,
  type Log,
  type MessagesDirectory,
  SETTLE_MS,
  Unsettled,
} from "@ncolony/host";

/** So many invalid messages are remembered at a time, until it is certain that they are not just being written. */
const MAX_UNSETTLED = 10_000;

/** So many messages that are invalid and stay are remembered; others are read again and again, and not told of. */
const MAX_STAYING = 10_000;

/** So many of these are tried to be put away at a time: where one is not, the others mostly are not either. */
const MAX_RETRIES = 10;

/** What {@linkcode InvalidMessages} need. */
export interface InvalidMessagesOptions {
  /** The time. */
  readonly clock: Clock;
  /** Where the messages are. */
  readonly messagesDirectory: MessagesDirectory;
  /** Where it tells what it does; of what others do that may do it without end, elsewhere. */
  readonly log: Log;
}

/** Puts messages away that are invalid, when it is certain that they are not only half written, and tells of each once. */
export class InvalidMessages {
  readonly #options: InvalidMessagesOptions;
  /** Those that may be only half written; and when that is certain. */
  readonly #unsettled = new Unsettled(SETTLE_MS, MAX_UNSETTLED);
  /** Those that stay, and what they looked like. */
  readonly #staying = new Map<string, FileStamp>();
  #hasToldOfMany = false;

  /** Makes one that knows of none. */
  constructor(options: InvalidMessagesOptions) {
    this.#options = options;
  }

  /** When those that may be half written are to be read again, in the clock's milliseconds; else Infinity. */
  get due(): number {
    return this.#unsettled.due;
  }

  /** All that is remembered. */
  get names(): string[] {
    return [...this.#unsettled.keys(), ...this.#staying.keys()];
  }

  /** Whether a file is one that was told of, stays, and has not changed. */
  has(file: string): boolean {
    const stamp = this.#staying.get(file);
    return stamp !== undefined && isSameStamp(this.#options.messagesDirectory.stamp(file), stamp);
  }

  /** Takes note that a message went, or is valid now. */
  forget(file: string): void {
    this.#unsettled.delete(file);
    this.#staying.delete(file);
  }

  /** Forgets those that may be half written. */
  forgetUnsettled(): void {
    this.#unsettled.clear();
  }

  /** Takes note of one, for this reason; puts it away where it has looked like this for long enough. */
  found(file: string, stamp: FileStamp, stampedAt: number, reason: string): void {
    const { clock } = this.#options;
    if (this.#unsettled.settle(file, stamp, stampedAt, clock.now())) this.#reject(file, stamp, reason);
  }

  /** Tries again to put away what stays. */
  retry(): void {
    const { messagesDirectory } = this.#options;
    for (const [file, stamp] of [...this.#staying].slice(0, MAX_RETRIES)) {
      this.#staying.delete(file);
      // Others have their turn the next time.
      if (isSameStamp(messagesDirectory.stamp(file), stamp) && messagesDirectory.reject(file) !== null) {
        this.#staying.set(file, stamp);
      }
    }
  }

  /** Puts one away, or lets it stay, and tells why. */
  #reject(file: string, stamp: FileStamp, reason: string): void {
    const { log, messagesDirectory } = this.#options;
    const fault = messagesDirectory.reject(file);
    const areMany = fault !== null && this.#staying.size >= MAX_STAYING;
    if (areMany && !this.#hasToldOfMany) {
      log.warn(`more than ${MAX_STAYING} messages are wrong and stay: no more are told of`);
    }
    this.#hasToldOfMany = areMany;
    if (areMany) return;
    if (fault !== null) this.#staying.set(file, stamp);
    const what = fault === null ? "put away" : `stays (${fault})`;
    log.warn(`message ${quotedName(file)} is wrong and ${what}: ${reason}`);
  }
}
