import { type Message, MessageError, parseMessage, quotedName, route, type Spec } from "@ncolony/core";
import { type Clock, isSameSight, type Log, type Mailbox, SETTLE_MS, type Sight, Told, Turn } from "@ncolony/host";
import { Disposal, type Letter } from "./disposal.ts";

/** How many messages are read before any of them is acted on. */
const BATCH = 256;

/** So many wrong messages are remembered at a time, until it is certain that they are not just being written. */
const MAX_UNSETTLED = 10_000;

/** How long messages wait for configs that are still changing, before they are judged by what is known. */
const MAX_POSTPONED_MS = 1000;

/** What a delivery needs. */
export interface DeliveryOptions {
  /** The time. */
  readonly clock: Clock;
  /** Where the messages are. */
  readonly mailbox: Mailbox;
  /** Where it tells what it does; of what others do that may do it without end, elsewhere. */
  readonly log: Log;
  /** The specs in force. */
  readonly specs: ReadonlyMap<string, Spec>;
  /** Looks at the configs that messages name, or at all; true where one of them may still be changing. */
  readonly look: (names: readonly string[] | "all") => Promise<boolean>;
  /** Asks for a restart. */
  readonly restart: (name: string) => void;
}

/**
 * Reads messages in the order of their names, acts on each once, and removes it: only then, as Python NColony does, for
 * what was asked of a monitor that dies just then is asked of the next one.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #told = new Told();
  /** Messages that somebody told of, and that were not read since. */
  readonly #touched = new Set<string>();
  readonly #disposal: Disposal;
  /** Messages that are wrong, but may be only half written; and when that is certain. */
  readonly #unsettled = new Map<string, { sight: Sight; due: number }>();
  /** Since when messages wait for a config to settle, or null. */
  #postponedSince: number | null = null;
  /** How often names were looked at, all or some. */
  #turn = 0;

  /** Makes one that has read nothing yet. */
  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#disposal = new Disposal(options);
  }

  /** When it must be called again, in the clock's milliseconds; else Infinity. */
  get due(): number {
    // Nothing is dealt with before the config has settled.
    if (this.isPostponed) return Infinity;
    return this.#unsettled.values().reduce((earliest, { due }) => Math.min(earliest, due), Infinity);
  }

  /** When {@linkcode tidy} must be called, in the clock's milliseconds; else Infinity. */
  get tidyDue(): number {
    return this.#disposal.due;
  }

  /** Removes what was acted on; what took its place meanwhile counts as told of. */
  tidy(): void {
    for (const file of this.#disposal.flush()) this.touch(file);
  }

  /** Whether messages wait for a config to settle. */
  get isPostponed(): boolean {
    return this.#postponedSince !== null;
  }

  /** Whether there are messages that somebody told of. */
  get isTouched(): boolean {
    return this.#touched.size > 0;
  }

  /** Tells of a message that may be there. */
  touch(name: string): void {
    this.#touched.add(name);
  }

  /** Forgets what was told of, and what was not certain: messages are taken no more for a while. */
  forgetUnread(): void {
    this.#touched.clear();
    this.#unsettled.clear();
    this.#postponedSince = null;
  }

  /** Tells of a message that is not there any more. */
  forget(name: string): void {
    this.#disposal.forget(name);
    this.#unsettled.delete(name);
  }

  /**
   * Deals with the messages that somebody told of, as far as they are there, or with all.
   *
   * @param maxNames How many may be looked at now; where there are more, the others have their turn the next time.
   * @returns Whether all were dealt with.
   */
  async deliver(which: "touched" | "all", signal: AbortSignal, maxNames = Infinity): Promise<boolean> {
    const all = which === "all" ? this.#list() : [...this.#touched];
    const names = this.#nextOf(all, maxNames).toSorted();
    this.#touched.clear();
    for (let start = 0; start < names.length; start += BATCH) {
      if (start > 0) await this.#options.clock.yield();
      if (this.#options.clock.now() >= this.tidyDue) this.tidy();
      if (signal.aborted || !await this.#deliverBatch(names.slice(start, start + BATCH), signal)) return false;
    }
    this.#postponedSince = null;
    this.#turn++;
    return names.length === all.length;
  }

  /** So many names, beginning behind the last of the time before. */
  #nextOf(names: readonly string[], max: number): readonly string[] {
    if (names.length <= max) return names;
    const start = this.#turn * max % names.length;
    return [...names.slice(start, start + max), ...names.slice(0, Math.max(0, start + max - names.length))];
  }

  /** All messages; what is remembered of others is forgotten. */
  #list(): string[] {
    const { log, mailbox } = this.#options;
    const names = mailbox.names();
    const fault = "fault" in names ? names.fault : null;
    if (this.#told.isNews("directory", fault)) {
      if (fault === null) log.info(`the messages directory ${mailbox.path} can be read again`);
      else log.error(`the messages directory ${mailbox.path} ${fault}: nobody can ask for restarts`);
    }
    if ("fault" in names) {
      this.#unsettled.clear();
      return [];
    }
    this.#forgetOthers(names);
    this.#disposal.retry();
    return names;
  }

  /** False where the rest must wait. */
  async #deliverBatch(names: readonly string[], signal: AbortSignal): Promise<boolean> {
    const letters = await this.#openAll(names, signal);
    if (signal.aborted) return false;
    if (letters.length > 0) {
      // A config is looked at before a message about it is judged, so that "add; restart" works in any order.
      const named = letters.map(({ message }) => message.type === "RESTART" ? message.name : null);
      const isChanging = await this.#options.look(named.includes(null) ? "all" : named.filter((name) => name !== null));
      if (signal.aborted) return false;
      const now = this.#options.clock.now();
      this.#postponedSince = isChanging ? this.#postponedSince ?? now : null;
      if (this.#postponedSince !== null && now < this.#postponedSince + MAX_POSTPONED_MS) return false;
    }
    const judged = letters.map((letter) => ({ letter, names: route(letter.message, this.#options.specs) }));
    // Many messages may ask for the same: one restart does for all that were read together.
    for (const name of new Set(judged.flatMap(({ names }) => names))) this.#options.restart(name);
    for (const { letter, names } of judged) {
      this.#tell(letter, names);
      this.#disposal.remove(letter);
      // What was told of it until now was told of what has been read; if not, that is found when it is removed.
      this.#touched.delete(letter.file);
    }
    return true;
  }

  #tell({ file, message }: Letter, names: readonly string[]): void {
    const asked = message.type === "RESTART" ? message.name : message.type === "RESTART-GROUP" ? message.group : "";
    const what = `message ${quotedName(file)}: ${message.type}${asked === "" ? "" : ` ${quotedName(asked)}`}`;
    if (names.length === 0) this.#options.log.warn(`${what}: no such process is to run`);
    else this.#options.log.info(what);
  }

  async #openAll(names: readonly string[], signal: AbortSignal): Promise<Letter[]> {
    const letters: Letter[] = [];
    const turn = new Turn(this.#options.clock);
    for (const name of names) {
      const letter = await this.#open(name);
      if (letter !== null) letters.push(letter);
      if (turn.isOver) await turn.giveWay();
      if (signal.aborted) break;
    }
    return letters;
  }

  /** Reads one message; null where there is nothing to act on (now). */
  async #open(file: string): Promise<Letter | null> {
    const { clock, mailbox } = this.#options;
    const lookedAt = clock.now();
    if (this.#disposal.has(file) || this.#disposal.isFull) return null;
    const reading = await mailbox.read(file);
    if (reading === null) {
      this.forget(file);
      return null;
    }
    const { sight, entry } = reading;
    const message = "fault" in entry ? entry.fault : parse(file, entry.source);
    if (typeof message !== "string") {
      this.#unsettled.delete(file);
      const letter = { file, sight, message };
      return this.#disposal.hasTouched(letter) ? null : letter;
    }
    if (this.#isSettled(file, sight, lookedAt)) this.#disposal.reject(file, sight, message);
    return null;
  }

  /** Whether a look before this one, long enough ago, found the same; if not, remembers to look again. */
  #isSettled(file: string, sight: Sight, lookedAt: number): boolean {
    const before = this.#unsettled.get(file);
    if (before !== undefined && isSameSight(before.sight, sight)) {
      return lookedAt >= before.due && this.#unsettled.delete(file);
    }
    if (before !== undefined || this.#unsettled.size < MAX_UNSETTLED) {
      this.#unsettled.set(file, { sight, due: this.#options.clock.now() + SETTLE_MS });
    }
    return false;
  }

  #forgetOthers(names: readonly string[]): void {
    const remembered = [...this.#disposal.stuck, ...this.#unsettled.keys()];
    if (remembered.length === 0) return;
    const present = new Set(names);
    for (const name of remembered) if (!present.has(name)) this.forget(name);
  }
}

function parse(file: string, source: string): Message | string {
  try {
    return parseMessage(file, source);
  } catch (error) {
    if (error instanceof MessageError) return error.reason;
    throw error;
  }
}
