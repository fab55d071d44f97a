import type { Message } from "@ncolony/core";
import { type Clock, isSameFile, isSameSight, type Log, type Mailbox, type Sight } from "@ncolony/host";

/** So long a message that was acted on stays: as long as it takes to start what it asked for, which needs the processors. */
const LINGER_MS = 10;

/** What a disposal needs. */
export interface DisposalOptions {
  /** The time. */
  readonly clock: Clock;
  /** Where the messages are. */
  readonly mailbox: Mailbox;
  /** Where it tells what it cannot do. */
  readonly log: Log;
}

/** A file in the messages directory, as it looked when it was read, and what it asks for. */
export interface Letter {
  readonly file: string;
  readonly sight: Sight;
  readonly message: Message;
}

/** Takes messages away that were dealt with, and knows which of those are still there: none is to be acted on twice. */
export class Disposal {
  readonly #options: DisposalOptions;
  /** Messages that were acted on and are to be removed, by file. */
  readonly #lingering = new Map<string, Letter>();
  #due = Infinity;
  /** Messages that could not be taken away: what they looked like, and how that is tried again. */
  readonly #stuck = new Map<string, { readonly sight: Sight; readonly takeAway: () => string | null }>();
  /** Why messages could not be taken away, as far as it was told since any is stuck. */
  readonly #faults = new Set<string>();

  /** Makes one that was given nothing yet. */
  constructor(options: DisposalOptions) {
    this.#options = options;
  }

  /** When {@linkcode flush} must be called, in the clock's milliseconds; else Infinity. */
  get due(): number {
    return this.#due;
  }

  /** Removes a message, which was acted on, in a moment. */
  remove(letter: Letter): void {
    this.#lingering.set(letter.file, letter);
    this.#flushSoon();
  }

  /** Puts a message away that is wrong. */
  reject(file: string, sight: Sight): void {
    this.#takeAway(file, sight, () => this.#options.mailbox.reject(file));
  }

  /** Removes what was acted on; gives the files that look otherwise by now, and are to be read. */
  flush(): string[] {
    const { mailbox } = this.#options;
    const changed: string[] = [];
    for (const [file, { sight }] of this.#lingering) {
      const seen = mailbox.look(file);
      if (seen !== null && !isSameSight(seen, sight)) changed.push(file);
      else {
        this.#lingering.delete(file);
        if (seen !== null) this.#takeAway(file, sight, () => mailbox.remove(file));
      }
    }
    this.#due = Infinity;
    return changed;
  }

  /** Whether a message was dealt with that is still there; where it could not be taken away, that is tried again. */
  has(file: string): boolean {
    const lingering = this.#lingering.get(file);
    const stuck = this.#stuck.get(file);
    if (lingering === undefined && stuck === undefined) return false;
    const seen = this.#options.mailbox.look(file);
    if (seen === null) return false;
    if (lingering !== undefined && isSameSight(seen, lingering.sight)) {
      this.#flushSoon();
      return true;
    }
    if (stuck === undefined || !isSameSight(seen, stuck.sight)) return false;
    this.#takeAway(file, seen, stuck.takeAway);
    return true;
  }

  /** Whether a message is one that was acted on, and only looks otherwise by now, as after a `touch`. */
  hasTouched(letter: Letter): boolean {
    const before = this.#lingering.get(letter.file);
    if (before === undefined || !isSameFile(before.sight, letter.sight)) return false;
    if (JSON.stringify(before.message) !== JSON.stringify(letter.message)) return false;
    this.remove(letter);
    return true;
  }

  /** The messages that could not be taken away. */
  get stuck(): Iterable<string> {
    return this.#stuck.keys();
  }

  /** Takes note that a message went, or one of that name before it. */
  forget(file: string): void {
    this.#stuck.delete(file);
    if (this.#lingering.has(file) && this.#options.mailbox.look(file) === null) this.#lingering.delete(file);
  }

  #flushSoon(): void {
    this.#due = Math.min(this.#due, this.#options.clock.now() + LINGER_MS);
  }

  #takeAway(file: string, sight: Sight, takeAway: () => string | null): void {
    const fault = takeAway();
    if (fault === null) {
      this.#stuck.delete(file);
      return;
    }
    if (this.#stuck.size === 0) this.#faults.clear();
    this.#stuck.set(file, { sight, takeAway });
    if (this.#faults.has(fault)) return;
    this.#faults.add(fault);
    this.#options.log.error(`messages cannot be removed (${fault}): each is acted on once`);
  }
}
