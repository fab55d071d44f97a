import { type Message, MessageError, parseMessage, route, type Spec } from "@ncolony/core";
import {
  type Clock,
  isSameFile,
  isSameSight,
  type Log,
  type Mailbox,
  SETTLE_MS,
  type Sight,
  Told,
  Turn,
} from "@ncolony/host";

/** How many messages are read before any of them is acted on. */
const BATCH = 256;

/** How long messages wait for configs that are still changing, before they are judged by what is known. */
const MAX_POSTPONED_MS = 1000;

/** What a delivery needs. */
export interface DeliveryOptions {
  /** The time. */
  readonly clock: Clock;
  /** Where the messages are. */
  readonly mailbox: Mailbox;
  /** Where it tells what it does. */
  readonly log: Log;
  /** The specs in force. */
  readonly specs: ReadonlyMap<string, Spec>;
  /** Looks at the configs that messages name, or at all; true where one of them may still be changing. */
  readonly look: (names: readonly string[] | "all") => Promise<boolean>;
  /** Asks for a restart. */
  readonly restart: (name: string) => void;
}

interface Letter {
  readonly file: string;
  readonly sight: Sight;
  readonly message: Message;
}

/**
 * Reads messages in the order of their names, acts on each once, and removes it: only then, as Python NColony does, for
 * nobody waits for that, and what a monitor is asked that dies just then is asked of the next one.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #told = new Told();
  /** Messages that somebody told of, and that were not read since. */
  readonly #touched = new Set<string>();
  /** Messages that were dealt with and could not be taken away: what they looked like, and how that is tried again. */
  readonly #stuck = new Map<string, { sight: Sight; takeAway: () => string | null }>();
  /** Why messages could not be taken away, as far as it was told since any is stuck. */
  readonly #stuckFaults = new Set<string>();
  /** Messages that are wrong, but may be only half written; and when that is certain. */
  readonly #unsettled = new Map<string, { sight: Sight; due: number }>();
  /** Since when messages wait for a config to settle, or null. */
  #postponedSince: number | null = null;

  /** Makes one that has read nothing yet. */
  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** When it must be called again, in the clock's milliseconds; else Infinity. */
  get due(): number {
    // Nothing is dealt with before the config has settled.
    if (this.isPostponed) return Infinity;
    return this.#unsettled.values().reduce((earliest, { due }) => Math.min(earliest, due), Infinity);
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

  /** Tells of a message that is not there any more. */
  forget(name: string): void {
    this.#stuck.delete(name);
    this.#unsettled.delete(name);
  }

  /** Deals with the messages that somebody told of, as far as they are there, or with all. */
  async deliver(which: "touched" | "all", signal: AbortSignal): Promise<void> {
    const names = (which === "all" ? this.#list() : [...this.#touched]).toSorted();
    this.#touched.clear();
    for (let start = 0; start < names.length; start += BATCH) {
      if (start > 0) await this.#options.clock.yield();
      if (signal.aborted || !await this.#deliverBatch(names.slice(start, start + BATCH), signal)) return;
    }
    this.#postponedSince = null;
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
    this.#forgetOthers(new Set(names));
    return names;
  }

  /** False where the rest must wait. */
  async #deliverBatch(names: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { clock, mailbox } = this.#options;
    const letters = await this.#openAll(names, signal);
    if (signal.aborted) return false;
    if (letters.length > 0) {
      // A config is looked at before a message about it is judged, so that "add; restart" works in any order.
      const named = letters.map(({ message }) => message.type === "RESTART" ? message.name : null);
      const isChanging = await this.#options.look(named.includes(null) ? "all" : named.filter((name) => name !== null));
      if (signal.aborted) return false;
      const now = clock.now();
      this.#postponedSince = isChanging ? this.#postponedSince ?? now : null;
      if (this.#postponedSince !== null && now < this.#postponedSince + MAX_POSTPONED_MS) return false;
    }
    // Many messages may ask for the same: one restart does for all that were read together.
    const asked = new Set(letters.flatMap((letter) => this.#judge(letter)));
    for (const name of asked) this.#options.restart(name);
    if (asked.size > 0) await clock.yield();
    for (const { file, sight } of letters) {
      // Else another message was renamed into its place, and is still to be read.
      if (isSameFile(mailbox.look(file), sight)) this.#dealtWith(file, sight, () => mailbox.remove(file));
    }
    return true;
  }

  /** Gives the names that a message asks to restart. */
  #judge({ file, message }: Letter): string[] {
    const { log, specs } = this.#options;
    const names = route(message, specs);
    const asked = message.type === "RESTART" ? message.name : message.type === "RESTART-GROUP" ? message.group : "";
    const what = `message ${JSON.stringify(file)}: ${message.type}${asked === "" ? "" : ` ${JSON.stringify(asked)}`}`;
    if (names.length === 0) log.warn(`${what}: no such process is to run`);
    else log.info(what);
    return names;
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
    const { clock, log, mailbox } = this.#options;
    const lookedAt = clock.now();
    const stuck = this.#stuck.get(file);
    const seen = stuck && mailbox.look(file);
    if (stuck && seen && isSameSight(stuck.sight, seen)) {
      this.#dealtWith(file, seen, stuck.takeAway);
      return null;
    }
    const reading = await mailbox.read(file);
    if (reading === null) {
      this.forget(file);
      return null;
    }
    const { sight, entry } = reading;
    const message = "fault" in entry ? entry.fault : parse(file, entry.source);
    if (typeof message !== "string") {
      this.#unsettled.delete(file);
      return { file, sight, message };
    }
    if (this.#isSettled(file, sight, lookedAt)) {
      log.warn(`message ${JSON.stringify(file)} is wrong and put away: ${message}`);
      this.#dealtWith(file, sight, () => mailbox.reject(file));
    }
    return null;
  }

  /** Whether a look before this one, long enough ago, found the same; if not, remembers to look again. */
  #isSettled(file: string, sight: Sight, lookedAt: number): boolean {
    const before = this.#unsettled.get(file);
    if (before !== undefined && isSameSight(before.sight, sight)) {
      return lookedAt >= before.due && this.#unsettled.delete(file);
    }
    this.#unsettled.set(file, { sight, due: this.#options.clock.now() + SETTLE_MS });
    return false;
  }

  /** Takes a message away, or remembers that it is still there, so that it is not acted on again. */
  #dealtWith(file: string, sight: Sight, takeAway: () => string | null): void {
    const fault = takeAway();
    if (fault === null) {
      this.#stuck.delete(file);
      // What was told of it meanwhile was told of what is gone now.
      this.#touched.delete(file);
      return;
    }
    if (this.#stuck.size === 0) this.#stuckFaults.clear();
    this.#stuck.set(file, { sight, takeAway });
    if (this.#stuckFaults.has(fault)) return;
    this.#stuckFaults.add(fault);
    this.#options.log.error(`messages cannot be removed (${fault}): each is acted on once`);
  }

  #forgetOthers(names: ReadonlySet<string>): void {
    for (const map of [this.#stuck, this.#unsettled]) {
      for (const name of map.keys()) if (!names.has(name)) this.forget(name);
    }
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
