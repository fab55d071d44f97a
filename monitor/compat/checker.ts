import { Changes, configDirectory, denoClock, messageDirectory } from "@ncolony/host";

/** Receives what scans of directories find (Python NColony's `IMonitorEventReceiver`). */
export interface MonitorEventReceiver {
  /** Called when a file appeared. */
  add(name: string, contents: string): void;
  /** Called when a file disappeared. */
  remove(name: string): void;
  /** Called for each message. */
  message(contents: string): void;
}

/**
 * Creates a function that scans a config directory once and reports what changed since its previous scan: files that
 * appeared or disappeared. A changed text is reported as `remove`, then `add` (Python NColony's
 * `directory_monitor.checker`).
 *
 * Names that begin with `.` or end with `.new` are ignored, as are files that are not regular, not UTF-8, or larger
 * than 131,056 bytes. If the receiver throws, the other changes are still reported. The errors are thrown at the end.
 *
 * @param location The directory.
 * @param receiver The receiver of the changes.
 * @returns A function that rejects with an `Error` if the directory cannot be read, and with an `AggregateError` if the
 * receiver throws.
 *
 * @example
 * ```ts
 * import { checker } from "@ncolony/monitor";
 *
 * const config = await Deno.makeTempDir();
 * const calls: string[] = [];
 * const check = checker(config, {
 *   add: (name, contents) => void calls.push(`add ${name} ${contents}`),
 *   remove: (name) => void calls.push(`remove ${name}`),
 *   message: () => {},
 * });
 * await Deno.writeTextFile(`${config}/web`, "{}");
 * await check();
 * await Deno.remove(`${config}/web`);
 * await check();
 * if (calls.join() !== "add web {},remove web") throw new Error(calls.join());
 * ```
 */
export function checker(location: string, receiver: MonitorEventReceiver): () => Promise<void> {
  const texts = new Map<string, string>();
  const changes = new Changes(configDirectory(location), denoClock, { settleMs: 0 });
  return async () => {
    const collector = new ErrorCollector();
    for await (const { name, entry } of changes.scanAll()) {
      const before = texts.get(name);
      if (entry !== null && ("fault" in entry || entry.source === before)) continue;
      if (before !== undefined) collector.try(() => receiver.remove(name));
      texts.delete(name);
      if (entry === null) continue;
      texts.set(name, entry.source);
      collector.try(() => receiver.add(name, entry.source));
    }
    if (changes.fault !== null) throw new Error(`Cannot read directory ${JSON.stringify(location)}: ${changes.fault}`);
    collector.throwErrors(location);
  };
}

/**
 * Creates a function that reads a messages directory once and reports each message, in the order of their names (Python
 * NColony's `directory_monitor.messages`). A reported message is removed. A message that cannot be read, or for which
 * the receiver throws, is moved to `.rejected`.
 *
 * @param location The directory.
 * @param receiver The receiver of the messages.
 * @returns A function that rejects with an `Error` if the directory cannot be read, and with an `AggregateError` if the
 * receiver throws or a message can be neither removed nor moved.
 */
export function messages(location: string, receiver: MonitorEventReceiver): () => Promise<void> {
  const messagesDirectory = messageDirectory(location);
  return async () => {
    const names = messagesDirectory.names();
    if ("fault" in names) throw new Error(`Cannot read directory ${JSON.stringify(location)}: ${names.fault}`);
    const collector = new ErrorCollector();
    for (const name of names.sort()) {
      const entry = messagesDirectory.read(name)?.entry;
      if (entry === undefined) continue;
      const isReported = "source" in entry && collector.try(() => receiver.message(entry.source));
      const fault = isReported ? messagesDirectory.remove(name) : messagesDirectory.reject(name);
      if (fault !== null) collector.errors.push(new Error(`Cannot remove message ${JSON.stringify(name)}: ${fault}`));
      await denoClock.yield();
    }
    collector.throwErrors(location);
  };
}

/** Calls a receiver that may throw, and keeps its errors until everything was reported. */
class ErrorCollector {
  readonly errors: unknown[] = [];

  try(call: () => void): boolean {
    try {
      call();
      return true;
    } catch (error) {
      // Whatever went wrong, report the other names too.
      this.errors.push(error);
      return false;
    }
  }

  throwErrors(location: string): void {
    if (this.errors.length > 0) {
      throw new AggregateError(this.errors, `The receiver failed for files in ${JSON.stringify(location)}`);
    }
  }
}
