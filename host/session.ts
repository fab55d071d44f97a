import { resolve } from "@std/path/posix/resolve";
import { isExecutable } from "./command.ts";

/** Makes a session for itself, and then becomes the command that it is given; of util-linux, or of busybox. */
const SETSID = "/usr/bin/setsid";

/** With these it ends where it could not become the command. */
const NOT_EXECUTED = [126, 127];

/** Of each command that Deno has executed itself, whether setsid does as well: none ended as if it could not. */
const bySetsid = new Map<string, boolean>();

/**
 * Starts a command as the leader of a session and process group of its own.
 *
 * Deno does that where `detached` is set, but by fork in place of vfork: it copies this program's page tables, and stops
 * it for 2 ms, the longer the larger it is. It tells why a command cannot be executed, though, so it makes the first start
 * of each. The next ones are made by setsid(1), where that is there: then this program is stopped for 0.5 ms, and the
 * command runs sooner. But what it starts is not the leader of its group at once, so that for a moment a signal finds
 * nobody there; and a script whose interpreter has gone since ends with 127, and only its next start says why.
 *
 * Another user or group needs a fork anyway; and what is set for the dynamic linker is not meant for setsid.
 *
 * @param command A path, or a bare command, which Deno looks up in this program's PATH.
 * @throws {Error} Where it cannot be started.
 */
export function startLeader(command: string, options: Deno.CommandOptions & { cwd?: string }): Deno.ChildProcess {
  const path = pathOf(command, options.cwd);
  if (path !== null && bySetsid.get(path) && isPlain(options) && isExecutable(SETSID) && isExecutable(path)) {
    try {
      return startBySetsid(path, options);
    } catch {
      // What is wrong with the command itself, Deno says.
    }
  }
  const child = new Deno.Command(command, { ...options, detached: true }).spawn();
  if (path !== null && !bySetsid.has(path)) bySetsid.set(path, true);
  return child;
}

/** The path that Deno makes of a command; null of one that it looks for, and where it may not be looked at. */
function pathOf(command: string, cwd: string | undefined): string | null {
  const isKnown = command.startsWith("/") || command.includes("/") && cwd !== undefined;
  // Without that permission to look at a file would ask a person at the terminal.
  if (!isKnown || Deno.permissions.querySync({ name: "read" }).state !== "granted") return null;
  return resolve(cwd ?? "/", command);
}

function startBySetsid(path: string, options: Deno.CommandOptions): Deno.ChildProcess {
  const child = new Deno.Command(SETSID, { ...options, args: ["--", path, ...options.args ?? []] }).spawn();
  child.status.then(({ code, signal }) => {
    if (signal === null && NOT_EXECUTED.includes(code)) bySetsid.set(path, false);
  }, () => {
    // By a signal that Deno cannot name.
  });
  return child;
}

function isPlain({ uid, gid, env = {} }: Deno.CommandOptions): boolean {
  return uid === undefined && gid === undefined && !Object.keys(env).some((name) => name.startsWith("LD_"));
}
