import { resolve } from "@std/path/posix/resolve";
import { isGranted } from "../permission.ts";
import { isExecutable } from "./command.ts";

/** Makes a session for itself, and then becomes the command that it is given; of util-linux, or of busybox. */
const SETSID = "/usr/bin/setsid";

/** With these it ends where it could not become the command. */
const NOT_EXECUTED = [126, 127];

/** To look at any file, to run any command, and to know who this program is. */
const NEEDED: readonly Deno.PermissionDescriptor[] = [
  { name: "read" },
  { name: "run" },
  { name: "sys", kind: "uid" },
  { name: "sys", kind: "gid" },
];

/** What Deno is told of a command: the environment is given as a whole. */
type LeaderOptions = Deno.CommandOptions & { readonly cwd?: string };

/** Whether children of a fork are in fewer groups than this program; null before it is known. */
let losesGroups: boolean | null = null;

/** Of each command that Deno has executed itself, whether setsid may, and does as well: it never ended as if it could not. */
const bySetsid = new Map<string, boolean>();

/**
 * Starts a command as the leader of a session and process group of its own.
 *
 * Deno does that where `detached` is set, by fork: that copies the page tables of this program, and stops it until the
 * command is executed, 2 ms in a small program and 6 in a large one. setsid(1), where it is there, Deno starts by vfork,
 * in 0.7 ms in any, and needs two file descriptors less. In return, it is seen later, and less exactly, that something
 * cannot be executed, so only what Deno has executed itself is left to setsid; and for a moment the child is still in this
 * program's group, so a signal to its own finds nobody. Deno alone starts what needs a fork anyway, another user or group,
 * and what has variables of the dynamic linker, which are not meant for setsid.
 *
 * @param command A path, or a bare command, which Deno looks up in this program's PATH.
 * @throws {Error} Where it cannot be started.
 */
export function startLeader(command: string, options: LeaderOptions): Deno.ChildProcess {
  const path = isForSetsid(options) ? pathOf(command, options.cwd) : null;
  if (path !== null && bySetsid.get(path) && losesGroups === false && isExecutable(SETSID) && isExecutable(path)) {
    try {
      return startBySetsid(path, options);
    } catch {
      // What is wrong with the command itself, Deno says.
    }
  }
  const child = new Deno.Command(command, { ...options, detached: true }).spawn();
  if (path !== null) {
    if (!bySetsid.has(path)) bySetsid.set(path, NEEDED.every(isGranted));
    // To ask takes 3 ms, and now nobody waits for a start.
    losesGroups ??= forkLosesGroups();
  }
  return child;
}

/** Whether nothing but the command itself may keep it from being left to setsid. */
function isForSetsid({ uid, gid, env }: LeaderOptions): boolean {
  if (uid !== undefined || gid !== undefined || env === undefined) return false;
  return !Object.keys(env).some((name) => name.startsWith("LD_"));
}

/** The path that Deno makes of a command, or null of one that it looks for. */
function pathOf(command: string, cwd: string | undefined): string | null {
  const isKnown = command.startsWith("/") || command.includes("/") && cwd !== undefined;
  return isKnown ? resolve(cwd ?? "/", command) : null;
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

/** How many children Deno itself would not wait for. */
let spared = 0;

/** Keeps this program running meanwhile: somebody listens to it. Unlike the first timer, it is there at once. */
let patience: MessageChannel | undefined;

/**
 * Keeps Deno from sending SIGKILL to the pid of a child that is not `detached`: it does so when this program ends, and also
 * when the child has ended and was reaped, and the pid may be a stranger's. `unref()` ends that, but also that Deno waits
 * for the child.
 */
function spare(child: Deno.ChildProcess): void {
  child.unref();
  if (spared++ === 0) {
    patience = new MessageChannel();
    patience.port1.onmessage = () => {};
  }
  const release = () => {
    if (--spared > 0) return;
    patience?.port1.close();
    // Deno keeps it, and 5 KB, for good otherwise.
    patience?.port2.close();
  };
  child.status.then(release, release);
}
