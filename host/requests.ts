import { type Message, MessageError, parseMessage, route, type Spec } from "@ncolony/core";
import { faultOf } from "./fault.ts";
import { postMessage } from "./post.ts";
import { Told } from "./told.ts";
import type { Log, Mailbox } from "./types.ts";

/** What {@linkcode RestartRequests} needs. */
export interface RestartRequestsOptions {
  /** The monitor's messages. */
  readonly mailbox: Mailbox;
  /** The specs in force. */
  readonly specs: ReadonlyMap<string, Spec>;
  /** Where it tells whom it asked for, and why. */
  readonly log: Log;
}

/** Asks the monitor for restarts. */
export class RestartRequests {
  readonly #options: RestartRequestsOptions;
  readonly #told = new Told();

  /** Makes one that has asked for nothing. */
  constructor(options: RestartRequestsOptions) {
    this.#options = options;
  }

  /** The names whose restart somebody asked for in a message that the monitor has not read yet. */
  unread(): ReadonlySet<string> {
    const { mailbox, specs } = this.#options;
    const files = mailbox.names();
    if ("fault" in files) return new Set();
    return new Set(files.map((file) => this.#read(file)).flatMap((message) => message ? route(message, specs) : []));
  }

  /** Asks for a restart; false where that cannot be done, which is said once. */
  ask(name: string, reason: string): boolean {
    const { mailbox, log } = this.#options;
    try {
      postMessage(mailbox.path, { type: "RESTART", name });
    } catch (error) {
      const fault = faultOf(error);
      if (this.#told.isNews("ask", fault)) log.error(`cannot write to ${mailbox.path}, to ask for restarts: ${fault}`);
      return false;
    }
    this.#told.isNews("ask", null);
    log.warn(`${name}: ${reason}: asked for a restart`, name);
    return true;
  }

  #read(file: string): Message | null {
    const entry = this.#options.mailbox.read(file)?.entry;
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
