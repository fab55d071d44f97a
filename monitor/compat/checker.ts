import { Changes, configDirectory, denoClock, messageDirectory } from "@ncolony/host";

/** Takes what looks at directories find (Python NColony's `IMonitorEventReceiver`). */
export interface MonitorEventReceiver {
  /** A file appeared. */
  add(name: string, contents: string): void;
  /** A file went away. */
  remove(name: string): void;
  /** A message came. */
  message(contents: string): void;
}

/**
 * Makes a function that looks once at a config directory and tells what changed since its look before: files that
 * appeared or went, and for one whose text changed `remove`, then `add` (Python NColony's `directory_monitor.checker`).
 *
 * Names that begin with `.` or end with `.new` are passed over, as are files that are not regular, not UTF-8, or larger
 * than 131,056 bytes. What the receiver throws does not keep the others from being told; it comes out at the end.
 *
 * @param location The directory.
 * @param receiver Who is told.
 * @returns A function that rejects with an `Error` where the directory cannot be read, and with an `AggregateError` of
 * what the receiver threw.
 *
 * @example
 * ```ts
 * import { checker } from "@ncolony/monitor";
 *
 * const config = await Deno.makeTempDir();
 * const told: string[] = [];
 * const check = checker(config, {
 *   add: (name, contents) => void told.push(`add ${name} ${contents}`),
 *   remove: (name) => void told.push(`remove ${name}`),
 *   message: () => {},
 * });
 * await Deno.writeTextFile(`${config}/web`, "{}");
 * await check();
 * await Deno.remove(`${config}/web`);
 * await check();
 * if (told.join() !== "add web {},remove web") throw new Error(told.join());
 * ```
 */
export function checker(location: string, receiver: MonitorEventReceiver): () => Promise<void> {
  const texts = new Map<string, string>();
  const changes = new Changes(configDirectory(location), denoClock, { settleMs: 0 });
  return async () => {
    const tell = new Teller();
    for await (const { name, entry } of changes.scanAll()) {
      const before = texts.get(name);
      if (entry !== null && ("fault" in entry || entry.source === before)) continue;
      if (before !== undefined) tell.try(() => receiver.remove(name));
      texts.delete(name);
      if (entry === null) continue;
      texts.set(name, entry.source);
      tell.try(() => receiver.add(name, entry.source));
    }
    if (changes.fault !== null) throw new Error(`Cannot look at ${JSON.stringify(location)}: it ${changes.fault}`);
    tell.throwErrors(location);
  };
}

/**
 * Makes a function that looks once at a messages directory and tells each message, in the order of their names (Python
 * NColony's `directory_monitor.messages`). A message is removed once it was told; one that cannot be read, or that the
 * receiver throws at, is moved to `.rejected`.
 *
 * @param location The directory.
 * @param receiver Who is told.
 * @returns A function that rejects with an `Error` where the directory cannot be read, and with an `AggregateError` of
 * what the receiver threw.
 */
export function messages(location: string, receiver: MonitorEventReceiver): () => Promise<void> {
  const messagesDirectory = messageDirectory(location);
  return async () => {
    const names = messagesDirectory.names();
    if ("fault" in names) throw new Error(`Cannot look at ${JSON.stringify(location)}: it ${names.fault}`);
    const tell = new Teller();
    for (const name of names.sort()) {
      const entry = messagesDirectory.read(name)?.entry;
      if (entry === undefined) continue;
      const isTold = "source" in entry && tell.try(() => receiver.message(entry.source));
      const fault = isTold ? messagesDirectory.remove(name) : messagesDirectory.reject(name);
      if (fault !== null) tell.errors.push(new Error(`Cannot remove message ${JSON.stringify(name)}: ${fault}`));
      await denoClock.yield();
    }
    tell.throwErrors(location);
  };
}

/** Calls a receiver that may throw, and keeps what it throws until all was told. */
class Teller {
  readonly errors: unknown[] = [];

  try(call: () => void): boolean {
    try {
      call();
      return true;
    } catch (error) {
      // Whatever it is: the other names must be told all the same.
      this.errors.push(error);
      return false;
    }
  }

  throwErrors(location: string): void {
    if (this.errors.length > 0) throw new AggregateError(this.errors, `Cannot tell all of ${JSON.stringify(location)}`);
  }
}
