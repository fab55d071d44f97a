import { resolve } from "@std/path/posix/resolve";
import { MAX_TIMER_MS } from "./clock.ts";
import { isExecutable } from "./command.ts";
import type { Clock } from "./types.ts";

/** Makes a session for itself, and then becomes the command that it is given; of util-linux, or of busybox. */
const SETSID = "/usr/bin/setsid";

/** With these it ends where it could not become the command. */
const NOT_EXECUTED = [126, 127];

/** Of these a fork needs more: two file descriptors, and as much memory as this program has. */
const NEEDED_BY_FORK: readonly unknown[] = ["EMFILE", "ENFILE", "ENOMEM"];

/** Starts that follow each other sooner than this are many at once. */
const MANY_MS = 20;

/** What Deno is told of a command: the environment is given as a whole. */
export type LeaderOptions = Deno.CommandOptions & { readonly cwd?: string };

/** When a leader was started last, in its clock's milliseconds. */
let lastStart = -Infinity;

/** Whether children of a fork are in fewer groups than this program; null before it is known. */
let losesGroups: boolean | null = null;

/** Of each command that Deno has executed itself, whether setsid does as well: none ended as if it could not. */
const bySetsid = new Map<string, boolean>();

/**
 * Starts a command as the leader of a session and process group of its own.
 *
 * Deno does that where `detached` is set, by fork: that copies the page tables of this program, and stops it until the
 * command is executed, 2 ms or more. Of many that start at once each waits for all before it, so those are started by
 * setsid(1), where it is there, which Deno starts by vfork in 0.5 ms. In return, it is seen later, and less exactly, that
 * something cannot be executed, so only what Deno has executed itself is left to setsid; and for a moment the child is
 * still in this program's group, so a signal to its own finds nobody. Deno alone starts what needs a fork anyway, another
 * user or group, and what has variables of the dynamic linker, which are not meant for setsid.
 *
 * @param command A path, or a bare command, which Deno looks up in this program's PATH.
 * @throws {Error} Where it cannot be started.
 */
export function startLeader(command: string, options: LeaderOptions, clock: Clock): Deno.ChildProcess {
  const now = clock.now();
  const isOneOfMany = now < lastStart + MANY_MS;
  lastStart = now;
  const path = pathOf(command, options.cwd);
  return isOneOfMany && tryBySetsid(path, options) || startByFork(command, path, options);
}

function startByFork(command: string, path: string | null, options: LeaderOptions): Deno.ChildProcess {
  try {
    const child = new Deno.Command(command, { ...options, detached: true }).spawn();
    if (path !== null && !bySetsid.has(path)) bySetsid.set(path, true);
    return child;
  } catch (error) {
    const isShort = error instanceof Error && "code" in error && NEEDED_BY_FORK.includes(error.code);
    const child = isShort ? tryBySetsid(path, options) : null;
    if (child === null) throw error;
    return child;
  }
}

/** Null where setsid would not do, and where it cannot be started: what is wrong with the command itself, Deno says. */
function tryBySetsid(path: string | null, options: LeaderOptions): Deno.ChildProcess | null {
  if (path === null || !bySetsid.get(path) || !isForSetsid(path, options)) return null;
  try {
    return startBySetsid(path, options);
  } catch {
    return null;
  }
}

/** The path that Deno makes of a command; null of one that it looks for, and where it may not be looked at. */
function pathOf(command: string, cwd: string | undefined): string | null {
  const isKnown = command.startsWith("/") || command.includes("/") && cwd !== undefined;
  // Without that permission to look at a file would ask a person at the terminal.
  if (!isKnown || Deno.permissions.querySync({ name: "read" }).state !== "granted") return null;
  return resolve(cwd ?? "/", command);
}

function isForSetsid(path: string, { uid, gid, env }: LeaderOptions): boolean {
  if (uid !== undefined || gid !== undefined || env === undefined) return false;
  if (Object.keys(env).some((name) => name.startsWith("LD_"))) return false;
  return isExecutable(SETSID) && isExecutable(path) && !(losesGroups ??= forkLosesGroups());
}

/** As root, Deno takes the supplementary groups from what it forks, and setsid would leave them. */
function forkLosesGroups(): boolean {
  if (Deno.uid() !== 0) return false;
  try {
    const { stdout } = new Deno.Command("/usr/bin/id", { args: ["-G"], stderr: "null" }).outputSync();
    return new TextDecoder().decode(stdout).trim() !== `${Deno.gid()}`;
  } catch {
    // There is none, so nobody knows.
    return true;
  }
}

function startBySetsid(path: string, options: LeaderOptions): Deno.ChildProcess {
  const child = new Deno.Command(SETSID, { ...options, args: ["--", path, ...options.args ?? []] }).spawn();
  spare(child);
  child.status.then(({ code, signal }) => {
    if (signal === null && NOT_EXECUTED.includes(code)) bySetsid.set(path, false);
  }, () => {
    // By a signal that Deno cannot name.
  });
  return child;
}

/** How many children Deno itself would not wait for, and what keeps this program running meanwhile. */
let spared = 0;
let patience: ReturnType<typeof setInterval> | undefined;

/**
 * Keeps Deno from sending SIGKILL to the pid of a child that is not `detached`: it does so when this program ends, and also
 * when the child has ended and was reaped, and the pid may be a stranger's. `unref()` ends that, but also that Deno waits
 * for the child.
 */
function spare(child: Deno.ChildProcess): void {
  child.unref();
  if (spared++ === 0) patience = setInterval(() => {}, MAX_TIMER_MS);
  const release = () => {
    if (--spared === 0) clearInterval(patience);
  };
  child.status.then(release, release);
}
