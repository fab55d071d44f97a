import { type Message, MessageError, parseMessage, route, type Spec } from "@ncolony/core";
import { faultOf } from "../deno_errors.ts";
import { postMessage } from "../files/post.ts";
import { KnownFaults } from "../known_faults.ts";
import type { Log, MessagesDirectory } from "../types.ts";

/** The most unread messages that are read: other users may have written any number. */
const MAX_UNREAD = 1000;

/** What {@linkcode RestartRequests} needs. */
export interface RestartRequestsOptions {
  /** The monitor's messages directory. */
  readonly messagesDirectory: MessagesDirectory;
  /** The specs in force. */
  readonly specs: ReadonlyMap<string, Spec>;
  /** The name of this program, which its messages say. */
  readonly from: string;
  /** Which start of a process a request is about. Null if unknown. */
  readonly incarnationOf: (name: string) => number | null;
  /** Where it logs which restarts it asked for, and why. */
  readonly log: Log;
}

/** Asks the monitor for restarts. */
export class RestartRequests {
  readonly #options: RestartRequestsOptions;
  readonly #knownFaults = new KnownFaults();
  /** The processes to be restarted, each with the message that asks for it. */
  readonly #pending = new Map<string, string>();

  /** Creates an instance that has asked for nothing yet. */
  constructor(options: RestartRequestsOptions) {
    this.#options = options;
  }

  /** Returns the processes that unread messages ask to restart, each with the name of the message. */
  unread(): ReadonlyMap<string, string> {
    const { messagesDirectory, specs } = this.#options;
    const unread = new Map<string, string>();
    const files = messagesDirectory.names();
    if ("fault" in files) return unread;
    for (const file of files.slice(0, MAX_UNREAD)) {
      const message = this.#read(file);
      if (message !== null) { for (const name of route(message, specs)) unread.set(name, file); }
    }
    return unread;
  }

  /** Returns the processes that this program asked to restart, or found asked for, in messages that are unread yet. */
  pending(): string[] {
    const { messagesDirectory } = this.#options;
    for (const [name, file] of this.#pending) if (messagesDirectory.stamp(file) === null) this.#pending.delete(name);
    return [...this.#pending.keys()];
  }

  /**
   * Asks for the restart of some processes, except of those with an unread request.
   *
   * @param reasons The reasons, by the names of the processes.
   * @returns The names of the processes with an unread request now.
   */
  askAll(reasons: ReadonlyMap<string, string>): string[] {
    if (reasons.size === 0) return [];
    const unread = this.unread();
    for (const [name, reason] of reasons) {
      const file = unread.get(name) ?? this.ask(name, reason);
      if (file !== null) this.#pending.set(name, file);
    }
    return [...reasons.keys()].filter((name) => this.#pending.has(name));
  }

  /** Asks for a restart. Returns the message's name, or null if it cannot be written, which is logged once. */
  ask(name: string, reason: string): string | null {
    const { messagesDirectory, from, incarnationOf, log } = this.#options;
    try {
      const incarnation = incarnationOf(name);
      const about = incarnation === null ? {} : { incarnation };
      const file = postMessage(messagesDirectory.path, { type: "RESTART", name, from, reason, ...about });
      this.#knownFaults.note("ask", null);
      log.warn(`${reason}: asked for a restart`, name);
      return file;
    } catch (error) {
      const fault = faultOf(error);
      if (this.#knownFaults.note("ask", fault)) {
        log.error(`cannot request restarts, because writing to ${messagesDirectory.path} failed: ${fault}`);
      }
      return null;
    }
  }

  #read(file: string): Message | null {
    const entry = this.#options.messagesDirectory.read(file)?.entry;
    if (entry === undefined || "fault" in entry) return null;
    try {
      return parseMessage(file, entry.source);
    } catch (error) {
      // The monitor does not understand it either, so it asks for nothing.
      if (error instanceof MessageError) return null;
      throw error;
    }
  }
}
