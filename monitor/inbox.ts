import { Alarm, type Clock, Turn } from "@ncolony/host";

/** What an inbox needs. */
export interface InboxOptions<T> {
  /** The time. */
  readonly clock: Clock;
  /** Takes one. What it throws is thrown at whoever posts, or waits for all to be taken. */
  readonly take: (item: T) => void;
  /** Called when all has been taken that was to be taken at once. */
  readonly pause: () => void;
}

/**
 * A queue with one consumer, which takes one item after another.
 *
 * While the consumer rests, an item is taken at once, within `post`: somebody waits for what follows. But what is posted
 * from within `take`, or when that has gone on for 10 ms, waits until others have had their turn.
 */
export class Inbox<T> {
  readonly #options: InboxOptions<T>;
  readonly #alarm: Alarm;
  readonly #queue: T[] = [];
  #isResting = false;
  #isTaking = false;
  /** The turn that began with the first item of this rest. */
  #turn: Turn | null = null;

  /** Makes one that is empty, and that nobody rests in. */
  constructor(options: InboxOptions<T>) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** Takes an item, or queues it. */
  post(item: T): void {
    this.#queue.push(item);
    this.#begin();
  }

  /** Takes items, or queues them before all that is queued. */
  postFirst(items: readonly T[]): void {
    this.#queue.unshift(...items);
    this.#begin();
  }

  #begin(): void {
    if (!this.#isResting) return;
    this.#alarm.ring();
    this.#takeSome(this.#turn ??= new Turn(this.#options.clock));
  }

  /** Ends the rest. */
  ring(): void {
    this.#alarm.ring();
  }

  /** Takes all that is queued, and what is posted meanwhile; `resume` is called before each turn but the first. */
  async takeAll(resume: () => void): Promise<void> {
    const turn = new Turn(this.#options.clock);
    for (;;) {
      this.#takeSome(turn);
      this.#options.pause();
      if (this.#queue.length === 0) return;
      await turn.giveWay();
      resume();
    }
  }

  /** Rests until an instant, in the clock's milliseconds, or until something was posted. */
  async rest(until: number): Promise<void> {
    if (this.#queue.length > 0) return;
    this.#turn = null;
    this.#isResting = true;
    await this.#alarm.wait(until);
    this.#isResting = false;
  }

  #takeSome(turn: Turn): void {
    if (this.#isTaking) return;
    this.#isTaking = true;
    try {
      while (this.#queue.length > 0 && !turn.isOver) this.#options.take(this.#queue.shift()!);
    } finally {
      this.#isTaking = false;
    }
  }
}
