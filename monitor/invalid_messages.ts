import { type MessageError, originFields, quotedName } from "@ncolony/core";
import {
  type Clock,
  type FileStamp,
  isSameStamp,
  type Log,
  type MessagesDirectory,
  SETTLE_MS,
  Unsettled,
} from "@ncolony/host";

/** How many invalid messages are remembered while they may still be half written. */
const MAX_UNSETTLED = 10_000;

/** How many invalid messages that cannot be moved away are remembered. More are read again each time and not logged. */
const MAX_STAYING = 10_000;

/** How many of these are tried again at a time: if one cannot be moved away, the others usually cannot either. */
const MAX_RETRIES = 10;

/** What {@linkcode InvalidMessages} needs. */
export interface InvalidMessagesOptions {
  /** The time. */
  readonly clock: Clock;
  /** The messages directory. */
  readonly messagesDirectory: MessagesDirectory;
  /** The log. It must limit its lines if other users may write the messages directory. */
  readonly log: Log;
}

/** Moves invalid messages away once they cannot be just half written, and logs each once. */
export class InvalidMessages {
  readonly #options: InvalidMessagesOptions;
  /** Messages that may be half written, and when each is read again. */
  readonly #unsettled = new Unsettled(SETTLE_MS, MAX_UNSETTLED);
  /** Invalid messages that could not be moved away, and their stamps. */
  readonly #staying = new Map<string, FileStamp>();
  #hasLoggedMany = false;
  /** How many messages were invalid so far. */
  rejected = 0;

  /** Creates a collection without messages. */
  constructor(options: InvalidMessagesOptions) {
    this.#options = options;
  }

  /** When messages that may be half written must be read again, in the clock's milliseconds; else Infinity. */
  get due(): number {
    return this.#unsettled.due;
  }

  /** The names of all remembered messages. */
  get names(): string[] {
    return [...this.#unsettled.keys(), ...this.#staying.keys()];
  }

  /** Whether a message was logged as invalid, could not be moved away, and has not changed. */
  has(file: string): boolean {
    const stamp = this.#staying.get(file);
    return stamp !== undefined && isSameStamp(this.#options.messagesDirectory.stamp(file), stamp);
  }

  /** Forgets a message that is gone or valid now. */
  forget(file: string): void {
    this.#unsettled.delete(file);
    this.#staying.delete(file);
  }

  /** Forgets the messages that may be half written. */
  forgetUnsettled(): void {
    this.#unsettled.clear();
  }

  /** Remembers an invalid message. Moves it away if it has not changed for long enough. */
  found(file: string, stamp: FileStamp, stampedAt: number, error: MessageError): void {
    const { clock } = this.#options;
    if (this.#unsettled.settle(file, stamp, stampedAt, clock.now())) this.#reject(file, stamp, error);
  }

  /** Tries again to move messages away. */
  retry(): void {
    const { messagesDirectory } = this.#options;
    for (const [file, stamp] of [...this.#staying].slice(0, MAX_RETRIES)) {
      this.#staying.delete(file);
      // Now it is the last in the map, so other messages are tried next time.
      if (isSameStamp(messagesDirectory.stamp(file), stamp) && messagesDirectory.reject(file) !== null) {
        this.#staying.set(file, stamp);
      }
    }
  }

  /** Moves a message away if possible, and logs why it is invalid. */
  #reject(file: string, stamp: FileStamp, { reason, origin }: MessageError): void {
    this.rejected++;
    const { log, messagesDirectory } = this.#options;
    const fault = messagesDirectory.reject(file);
    const areMany = fault !== null && this.#staying.size >= MAX_STAYING;
    if (areMany && !this.#hasLoggedMany) {
      log.warn(`more than ${MAX_STAYING} invalid messages cannot be moved away: no more are logged`);
    }
    this.#hasLoggedMany = areMany;
    if (areMany) return;
    if (fault !== null) this.#staying.set(file, stamp);
    const what = fault === null ? "was moved to .rejected" : `stays in place (${fault})`;
    log.warn(`message ${quotedName(file)} is invalid and ${what}: ${reason}`, undefined, originFields(origin));
  }
}
