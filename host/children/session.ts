import { resolve } from "@std/path/posix/resolve";
import { isGranted } from "../permission.ts";
import { isExecutable } from "../scopes/shell.ts";

/** The program that creates a session and then executes a command, from util-linux or busybox. */
const SETSID = "/usr/bin/setsid";

/** Its exit codes if it could not execute the command. */
const NOT_EXECUTED = [126, 127];

/** The permissions to look at any file, to run any command, and to know this program's user and group. */
const NEEDED: readonly Deno.PermissionDescriptor[] = [
  { name: "read" },
  { name: "run" },
  { name: "sys", kind: "uid" },
  { name: "sys", kind: "gid" },
];

/** Deno's options of a command. With `clearEnv`, `env` is the whole environment. */
export type LeaderOptions = Deno.CommandOptions & { readonly cwd?: string };

/** Whether Deno removes a forked child from supplementary groups of this program. Null if unknown yet. */
let losesGroups: boolean | null = null;

/** For each command that Deno has executed itself: whether setsid may execute it, and never failed to. */
const bySetsid = new Map<string, boolean>();

/**
 * Starts a command as the leader of its own session and process group.
 *
 * With `detached`, Deno does that by fork. This copies the page tables of this program, and stops it until the command
 * is executed: 2 ms in a small program, 6 ms in a large one. Deno starts setsid(1) by vfork instead, in 0.7 ms in any
 * program, and with two fewer file descriptors. In return, a failed execution is noticed later and less exactly, so
 * setsid starts only commands that Deno has executed before. And for a moment the child is in this program's group, so
 * a signal to its own group finds no process. Deno itself starts a command that needs a fork anyway, because it runs as
 * another user or group, or that has variables of the dynamic linker, which are not meant for setsid.
 *
 * @param command A path, or a bare command, which Deno searches for in this program's PATH.
 * @param under Words that come before the command, and execute it.
 * @throws {Error} If it cannot be started.
 */
export function startLeader(
  command: string,
  options: LeaderOptions,
  under: readonly string[] = [],
): Deno.ChildProcess {
  const path = isForSetsid(options) ? pathOf(command, options.cwd) : null;
  if (path !== null && bySetsid.get(path) && losesGroups === false && isExecutable(SETSID) && isExecutable(path)) {
    try {
      return startBySetsid(path, options, under);
    } catch {
      // Deno starts it below, or reports what is wrong with the command.
    }
  }
  const [program, ...args] = [...under, command, ...options.args ?? []];
  const child = new Deno.Command(program!, { ...options, args, detached: true }).spawn();
  if (path !== null) {
    if (!bySetsid.has(path)) bySetsid.set(path, NEEDED.every(isGranted));
    // The check takes 3 ms, and no start waits for it here.
    losesGroups ??= forkLosesGroups();
  }
  return child;
}

/** Returns whether setsid may start a command with these options. */
function isForSetsid({ uid, gid, env = {}, clearEnv = false }: LeaderOptions): boolean {
  if (uid !== undefined || gid !== undefined || !clearEnv) return false;
  return !Object.keys(env).some((name) => name.startsWith("LD_"));
}

/** Returns the path that Deno executes for a command. Null if PATH or this program's working directory decides. */
function pathOf(command: string, cwd: string | undefined): string | null {
  const isKnown = command.startsWith("/") || command.includes("/") && cwd !== undefined;
  return isKnown ? resolve(cwd ?? "/", command) : null;
}

/** Returns whether a fork loses groups: as root, Deno clears the supplementary groups, and setsid would keep them. */
function forkLosesGroups(): boolean {
  if (Deno.uid() !== 0) return false;
  try {
    const { stdout } = new Deno.Command("/usr/bin/id", { args: ["-G"], stderr: "null" }).outputSync();
    return new TextDecoder().decode(stdout).trim() !== `${Deno.gid()}`;
  } catch {
    // id(1) does not exist, so it is unknown.
    return true;
  }
}

function startBySetsid(path: string, options: LeaderOptions, under: readonly string[]): Deno.ChildProcess {
  const args = ["--", ...under, path, ...options.args ?? []];
  const child = new Deno.Command(SETSID, { ...options, args }).spawn();
  unref(child);
  child.status.then(({ code, signal }) => {
    if (signal === null && NOT_EXECUTED.includes(code)) bySetsid.set(path, false);
  }, () => {
    // The child exited by a signal that Deno cannot name.
  });
  return child;
}

/** How many running children Deno itself does not wait for. */
let unrefCount = 0;

/** Keeps this program running while there are such children. The first timer would take longer to create. */
let keepAlive: MessageChannel | undefined;

/**
 * Keeps Deno from sending SIGKILL to the pid of a child that is not `detached`. Deno does that when this program exits,
 * and even after the child was reaped, when the pid may belong to another process. `unref()` prevents it, but then Deno
 * does not wait for the child either.
 */
function unref(child: Deno.ChildProcess): void {
  child.unref();
  if (unrefCount++ === 0) {
    keepAlive = new MessageChannel();
    keepAlive.port1.onmessage = () => {};
  }
  const release = () => {
    if (--unrefCount > 0) return;
    keepAlive?.port1.close();
    // Otherwise Deno keeps it, and 5 KB, forever.
    keepAlive?.port2.close();
  };
  child.status.then(release, release);
}
