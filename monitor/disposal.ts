import { type Message, quotedName } from "@ncolony/core";
import { type Clock, isSameFile, isSameSight, type Log, type Mailbox, type Sight, Told } from "@ncolony/host";

/** So long a message that was acted on stays: as long as it takes to start what it asked for, which needs the processors. */
const LINGER_MS = 10;

/** So many messages that were acted on and cannot be removed are remembered; then no others are acted on. */
const MAX_STUCK = 10_000;

/** So many messages that are wrong and stay are remembered; others are read again and again, and not told of. */
const MAX_WRONG = 10_000;

/** So many of these are tried to be put away at a time: where one is not, the others mostly are not either. */
const MAX_RETRIES = 10;

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
  /** Messages that were acted on and could not be removed, and what they looked like. */
  readonly #stuck = new Map<string, Sight>();
  /** Messages that are wrong and stay, and what they looked like. */
  readonly #wrong = new Map<string, Sight>();
  /** Why messages could not be removed, as far as it was told since any is stuck. */
  readonly #faults = new Set<string>();
  readonly #told = new Told();

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

  /** Puts a message away that is wrong, or lets it stay, and tells why. */
  reject(file: string, sight: Sight, reason: string): void {
    const { log, mailbox } = this.#options;
    const fault = mailbox.reject(file);
    const isMuch = fault !== null && this.#wrong.size >= MAX_WRONG;
    if (this.#told.isNews("wrong", isMuch ? "much" : null) && isMuch) {
      log.warn(`more than ${MAX_WRONG} messages are wrong and stay: no more are told of`);
    }
    if (isMuch) return;
    if (fault !== null) this.#wrong.set(file, sight);
    const what = fault === null ? "put away" : `stays (${fault})`;
    log.warn(`message ${quotedName(file)} is wrong and ${what}: ${reason}`);
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
        if (seen !== null) this.#remove(file, sight);
      }
    }
    this.#due = Infinity;
    return changed;
  }

  /** Tries again to take away what could not be. */
  retry(): void {
    const { mailbox } = this.#options;
    for (const [file, sight] of [...this.#stuck]) if (isSameSight(mailbox.look(file), sight)) this.#remove(file, sight);
    for (const [file, sight] of [...this.#wrong].slice(0, MAX_RETRIES)) {
      this.#wrong.delete(file);
      // Others have their turn the next time.
      if (isSameSight(mailbox.look(file), sight) && mailbox.reject(file) !== null) this.#wrong.set(file, sight);
    }
  }

  /** Whether a message was dealt with that is still there. */
  has(file: string): boolean {
    const lingering = this.#lingering.get(file)?.sight;
    const stuck = this.#stuck.get(file);
    const wrong = this.#wrong.get(file);
    if ((lingering ?? stuck ?? wrong) === undefined) return false;
    const seen = this.#options.mailbox.look(file);
    if (seen === null) return false;
    const isStill = (before: Sight | undefined) => before !== undefined && isSameSight(seen, before);
    if (isStill(lingering)) this.#flushSoon();
    return isStill(lingering) || isStill(stuck) || isStill(wrong);
  }

  /** Whether so many messages cannot be removed that no more are to be acted on: none could be told from a new one. */
  get isFull(): boolean {
    return this.#stuck.size >= MAX_STUCK;
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
  get stuck(): string[] {
    return [...this.#stuck.keys(), ...this.#wrong.keys()];
  }

  /** Takes note that a message went, or one of that name before it. */
  forget(file: string): void {
    this.#stuck.delete(file);
    this.#wrong.delete(file);
    if (this.#lingering.has(file) && this.#options.mailbox.look(file) === null) this.#lingering.delete(file);
  }

  #flushSoon(): void {
    this.#due = Math.min(this.#due, this.#options.clock.now() + LINGER_MS);
  }

  #remove(file: string, sight: Sight): void {
    const fault = this.#options.mailbox.remove(file);
    if (fault === null) {
      this.#stuck.delete(file);
      return;
    }
    if (this.#stuck.size === 0) this.#faults.clear();
    this.#stuck.set(file, sight);
    if (this.#faults.has(fault)) return;
    this.#faults.add(fault);
    this.#options.log.error(`messages cannot be removed (${fault}): each is acted on once`);
  }
}
