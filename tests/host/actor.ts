/**
 * A small program that the tests run as another process, with what they cannot do to themselves.
 *
 * @module
 */

import { configDirectory, type Directory, lockDirectory, messageDirectory } from "@ncolony/host";
import { join } from "@std/path";
import process from "node:process";

const ACTS: Record<string, (...args: string[]) => void | Promise<void>> = {
  /** Locks a directory, and holds the lock until it is ended. */
  lock: async (path) => {
    using lock = lockDirectory(path);
    print(lock === null ? "refused" : "held");
    if (lock !== null) await untilStdinEnds();
  },

  /** Tells what it finds in a config directory under a name, as another user where one is given. */
  read: (path, name, uid) => {
    if (uid !== undefined) process.setuid?.(Number(uid));
    print(findings(configDirectory(path), name));
  },

  /** Reads a file many times. */
  reads: (path, name, count) => {
    const directory = configDirectory(path);
    for (let i = 0; i < Number(count); i++) directory.read(name);
    print("done");
  },

  /** Puts two things in turn under a name until it is ended. */
  swap: (path, name, one, other) => {
    print("swapping");
    for (;;) {
      for (const thing of [one, other]) {
        Deno.linkSync(join(path, thing), join(path, "swap.new"));
        Deno.renameSync(join(path, "swap.new"), join(path, name));
      }
    }
  },

  /** Listens at a socket until it is ended. */
  listen: async (path) => {
    using _listener = Deno.listen({ transport: "unix", path });
    print("listening");
    await untilStdinEnds();
  },

  /** Tells what it finds in a messages directory under a name, and what becomes of it. */
  mail: (path, name) => {
    const mailbox = messageDirectory(path);
    print({ ...findings(mailbox, name), reject: mailbox.reject(name), remove: mailbox.remove(name) });
  },
};

function findings(directory: Directory, name: string): Record<string, unknown> {
  return { names: directory.names(), entry: directory.read(name)?.entry ?? null };
}

function print(value: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${typeof value === "string" ? value : JSON.stringify(value)}\n`));
}

async function untilStdinEnds(): Promise<void> {
  await Deno.stdin.readable.pipeTo(new WritableStream());
}

if (import.meta.main) {
  const [act, ...args] = Deno.args;
  await ACTS[act](...args);
}
