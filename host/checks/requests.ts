import { type Message, MessageError, parseMessage, route, type Spec } from "@ncolony/core";
import { faultOf } from "../deno_errors.ts";
import { postMessage } from "../files/post.ts";
import { KnownFaults } from "../known_faults.ts";
import type { Log, MessagesDirectory } from "../types.ts";

/** So many unread messages are read: others may have put there any number. */
const MAX_UNREAD = 1000;

/** What {@linkcode RestartRequests} needs. */
export interface RestartRequestsOptions {
  /** The monitor's messages. */
  readonly messagesDirectory: MessagesDirectory;
  /** The specs in force. */
  readonly specs: ReadonlyMap<string, Spec>;
  /** Where it tells whom it asked for, and why. */
  readonly log: Log;
}

/** Asks the monitor for restarts. */
export class RestartRequests {
  readonly #options: RestartRequestsOptions;
  readonly #knownFaults = new KnownFaults();
  /** Whose restart is to come, and the message that asks for it. */
  readonly #pending = new Map<string, string>();

  /** Makes one that has asked for nothing. */
  constructor(options: RestartRequestsOptions) {
    this.#options = options;
  }

  /** The names whose restart somebody asked for in a message that the monitor has not read yet, and that message's. */
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

  /** Those of whose restart this program asked, or would have, and of whose request the monitor has not read yet. */
  pending(): string[] {
    const { messagesDirectory } = this.#options;
    for (const [name, file] of this.#pending) if (messagesDirectory.stamp(file) === null) this.#pending.delete(name);
    return [...this.#pending.keys()];
  }

  /**
   * Asks for the restart of each of some, unless a request for it lies unread.
   *
   * @param reasons Why, by name.
   * @returns The names of those of whom a request lies there now.
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

  /** Asks for a restart; gives the message's name, or null where that cannot be done, which is said once. */
  ask(name: string, reason: string): string | null {
    const { messagesDirectory, log } = this.#options;
    try {
      const file = postMessage(messagesDirectory.path, { type: "RESTART", name });
      this.#knownFaults.note("ask", null);
      log.warn(`${reason}: asked for a restart`, name);
      return file;
    } catch (error) {
      const fault = faultOf(error);
      if (this.#knownFaults.note("ask", fault)) {
        log.error(`cannot write to ${messagesDirectory.path}, to ask for restarts: ${fault}`);
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
      // What the monitor does not understand asks for nothing.
      if (error instanceof MessageError) return null;
      throw error;
    }
  }
}
