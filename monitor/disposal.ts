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

/** Takes messages away that were dealt with, and knows which of those are still there: none is to be acted on twice. */
export class Disposal {
  readonly #options: DisposalOptions;
  /** Messages that were acted on and are to be removed. */
  readonly #lingering = new Map<string, Sight>();
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
  remove(file: string, sight: Sight): void {
    this.#lingering.set(file, sight);
    this.#due = Math.min(this.#due, this.#options.clock.now() + LINGER_MS);
  }

  /** Puts a message away that is wrong. */
  reject(file: string, sight: Sight): void {
    this.#takeAway(file, sight, () => this.#options.mailbox.reject(file));
  }

  /** Removes what was acted on. */
  flush(): void {
    const { mailbox } = this.#options;
    for (const [file, sight] of this.#lingering) {
      // Else another message was renamed into its place, and is still to be read.
      if (isSameFile(mailbox.look(file), sight)) this.#takeAway(file, sight, () => mailbox.remove(file));
    }
    this.#lingering.clear();
    this.#due = Infinity;
  }

  /** Whether a message was dealt with that is still there; where it could not be taken away, that is tried again. */
  has(file: string): boolean {
    const lingering = this.#lingering.get(file);
    const stuck = this.#stuck.get(file);
    if (lingering === undefined && stuck === undefined) return false;
    const seen = this.#options.mailbox.look(file);
    if (seen === null) return false;
    if (lingering !== undefined) return isSameFile(seen, lingering);
    if (stuck === undefined || !isSameSight(seen, stuck.sight)) return false;
    this.#takeAway(file, seen, stuck.takeAway);
    return true;
  }

  /** The messages that could not be taken away. */
  get stuck(): Iterable<string> {
    return this.#stuck.keys();
  }

  /** Takes note that a message is not there any more. */
  forget(file: string): void {
    this.#stuck.delete(file);
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
