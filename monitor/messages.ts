import { type Message, MessageError, originFields, parseMessage, type Request, route, type Spec } from "@ncolony/core";
import { type FileStamp, isSameFile, isSameStamp, KnownFaults, TimeSlice } from "@ncolony/host";
import { InvalidMessages, type InvalidMessagesOptions } from "./invalid_messages.ts";
import { describeMessage, type ReadMessage, requestsOf } from "./message_requests.ts";
import type { MessageCounts } from "./monitor_facts.ts";

/** How many messages are read before any of them is acted on. */
const BATCH = 256;

/** How many messages that were acted on and cannot be removed are remembered. Then no others are acted on. */
const MAX_ACTED = 10_000;

/** How long messages wait for configs that are still changing, in milliseconds. Then the specs in force decide. */
const MAX_POSTPONED_MS = 1000;

/** What {@linkcode Messages} needs. */
export interface MessagesOptions extends InvalidMessagesOptions {
  /** The specs in force. */
  readonly specs: ReadonlyMap<string, Spec>;
  /** Scans the named configs, or all. Resolves with true if one may still be changing, or the scan must wait. */
  readonly scan: (names: readonly string[] | "all") => Promise<boolean>;
  /** Asks for the restart of a process. */
  readonly restart: (name: string, request: Request) => void;
}

/** A message that was read, and the stamp of its file then. */
interface Read extends ReadMessage {
  readonly stamp: FileStamp;
}

/** Reads messages in the order of their names, acts on each once, and removes it, as Python NColony does. */
export class Messages {
  readonly #options: MessagesOptions;
  readonly #knownFaults = new KnownFaults();
  /** Messages that were reported and not read since. */
  readonly #touched = new Set<string>();
  /** Messages that were acted on and still exist: they could not be removed, or have changed since they were read. */
  readonly #acted = new Map<string, Read>();
  /** The logged reasons why messages could not be removed. Starts again when all were removed. */
  readonly #faults = new Set<string>();
  readonly #invalid: InvalidMessages;
  /** Since when messages wait for a config to settle; null if none wait. */
  #postponedSince: number | null = null;
  /** How many deliveries were completed. */
  #round = 0;
  /** How many messages were acted on. */
  #taken = 0;

  /** Creates a reader. */
  constructor(options: MessagesOptions) {
    this.#options = options;
    this.#invalid = new InvalidMessages(options);
  }

  /** When {@linkcode deliver} must be called again, in the clock's milliseconds; Infinity if nothing waits. */
  get due(): number {
    // No message is processed until the config has settled.
    return this.isPostponed ? Infinity : this.#invalid.due;
  }

  /** Whether messages wait for a config to settle. */
  get isPostponed(): boolean {
    return this.#postponedSince !== null;
  }

  /** How many messages were taken and rejected so far. */
  get counts(): MessageCounts {
    return { taken: this.#taken, rejected: this.#invalid.rejected };
  }

  /** Whether messages were reported. */
  get isTouched(): boolean {
    return this.#touched.size > 0;
  }

  /** Reports a message that may exist. */
  touch(name: string): void {
    this.#touched.add(name);
  }

  /** Forgets reported and unsettled messages, because messages cannot be taken for a while. */
  forgetUnread(): void {
    this.#touched.clear();
    this.#invalid.forgetUnsettled();
    this.#postponedSince = null;
  }

  /** Forgets a message that is gone or was replaced. */
  forget(name: string): void {
    this.#acted.delete(name);
    this.#invalid.forget(name);
  }

  /**
   * Processes the reported messages, or all.
   *
   * @param maxNames The maximum number of messages. If there are more, the next call continues with the others.
   * @returns Whether all were processed.
   */
  async deliver(which: "touched" | "all", signal: AbortSignal, maxNames = Infinity): Promise<boolean> {
    const all = which === "all" ? this.#list() : [...this.#touched];
    const names = this.#nextOf(all, maxNames).toSorted();
    this.#touched.clear();
    for (let start = 0; start < names.length; start += BATCH) {
      if (start > 0) await this.#options.clock.yield();
      if (signal.aborted || !await this.#deliverBatch(names.slice(start, start + BATCH), signal)) return false;
    }
    this.#postponedSince = null;
    this.#round++;
    return names.length === all.length;
  }

  /** Returns at most `max` names, starting after the last one of the previous time. */
  #nextOf(names: readonly string[], max: number): readonly string[] {
    if (names.length <= max) return names;
    const start = this.#round * max % names.length;
    return [...names.slice(start, start + max), ...names.slice(0, Math.max(0, start + max - names.length))];
  }

  /** Lists all messages, and forgets those that no longer exist. */
  #list(): string[] {
    const { log, messagesDirectory } = this.#options;
    const names = messagesDirectory.names();
    const fault = "fault" in names ? names.fault : null;
    if (this.#knownFaults.note("directory", fault)) {
      if (fault === null) {
        log.info(`the messages directory ${messagesDirectory.path} can be read again`);
      } else {
        log.error(
          `cannot read the messages directory ${messagesDirectory.path}: ${fault}; no restart can be requested`,
        );
      }
    }
    if ("fault" in names) {
      this.#invalid.forgetUnsettled();
      return [];
    }
    this.#forgetOthers(names);
    for (const read of [...this.#acted.values()]) this.#remove(read);
    this.#invalid.retry();
    return names;
  }

  #forgetOthers(names: readonly string[]): void {
    const remembered = new Set([...this.#acted.keys(), ...this.#invalid.names]);
    if (remembered.size === 0) return;
    for (const name of remembered.difference(new Set(names))) this.forget(name);
  }

  /** Processes some messages. Resolves with false if they and the others must wait. */
  async #deliverBatch(names: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { log } = this.#options;
    const all = await this.#readAll(names, signal);
    if (signal.aborted) return false;
    if (all.length > 0) {
      // Scan configs before messages are routed, so that "add; restart" works in whatever order the two are noticed.
      const named = all.map(({ message }) => message.type === "RESTART" ? message.name : null);
      const isChanging = await this.#options.scan(named.includes(null) ? "all" : named.filter((name) => name !== null));
      if (signal.aborted) return false;
      const now = this.#options.clock.now();
      this.#postponedSince = isChanging ? this.#postponedSince ?? now : null;
      if (this.#postponedSince !== null && now < this.#postponedSince + MAX_POSTPONED_MS) return false;
    }
    const judged = all.map((read) => [read, route(read.message, this.#options.specs)] as const);
    // If several messages of a batch name the same process, one restart is enough.
    for (const [name, request] of requestsOf(judged)) this.#options.restart(name, request);
    for (const [read, names] of judged) {
      this.#taken++;
      const fields = originFields(read.message);
      if (names.length > 0) log.info(describeMessage(read), undefined, fields);
      else log.warn(`${describeMessage(read)}: no such process is configured`, undefined, fields);
      this.#touched.delete(read.file);
      this.#remove(read);
    }
    return true;
  }

  async #readAll(names: readonly string[], signal: AbortSignal): Promise<Read[]> {
    const all: Read[] = [];
    const slice = new TimeSlice(this.#options.clock);
    for (const name of names) {
      const read = this.#read(name);
      if (read !== null) all.push(read);
      if (slice.isOver) await slice.yield();
      if (signal.aborted) break;
    }
    return all;
  }

  /** Reads a message. Returns null if there is nothing to act on now. */
  #read(file: string): Read | null {
    const { clock, messagesDirectory } = this.#options;
    const stampedAt = clock.now();
    const acted = this.#acted.get(file);
    if (acted !== undefined && isSameStamp(messagesDirectory.stamp(file), acted.stamp)) return null;
    if (this.#acted.size >= MAX_ACTED || this.#invalid.has(file)) return null;
    const reading = messagesDirectory.read(file);
    if (reading === null) {
      this.forget(file);
      return null;
    }
    const { stamp, entry } = reading;
    const message = "fault" in entry ? new MessageError(file, null, entry.fault) : parse(file, entry.source);
    if (message instanceof MessageError) {
      this.#invalid.found(file, stamp, stampedAt, message);
      return null;
    }
    this.#invalid.forget(file);
    const read = { file, stamp, message };
    if (acted === undefined || !isTouched(acted, read)) return read;
    this.#remove(read);
    return null;
  }

  /** Removes a message that was acted on. If it has changed since it was read, it stays and is read again. */
  #remove(read: Read): void {
    const { file, stamp } = read;
    const seen = this.#options.messagesDirectory.stamp(file);
    const isSame = isSameStamp(seen, stamp);
    const fault = isSame ? this.#options.messagesDirectory.remove(file) : null;
    if (seen === null || isSame && fault === null) return void this.#acted.delete(file);
    if (this.#acted.size === 0) this.#faults.clear();
    this.#acted.set(file, read);
    if (!isSame) this.#touched.add(file);
    if (fault === null || this.#faults.has(fault)) return;
    this.#faults.add(fault);
    this.#options.log.error(`cannot remove messages: ${fault}; each is acted on only once`);
  }
}

/** Whether a message was acted on and only its stamp has changed, for example because of `touch`. */
function isTouched(acted: Read, read: Read): boolean {
  return isSameFile(acted.stamp, read.stamp) && JSON.stringify(acted.message) === JSON.stringify(read.message);
}

function parse(file: string, source: string): Message | MessageError {
  try {
    return parseMessage(file, source);
  } catch (error) {
    if (error instanceof MessageError) return error;
    throw error;
  }
}
