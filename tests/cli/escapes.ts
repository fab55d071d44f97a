import { until } from "../helpers.ts";
import type { Colony } from "./harness.ts";
import { run, sh, signalIfThere } from "./tools.ts";

/** A way in which programs leave the process group of their parent. */
export interface Escape {
  /** What the program does. */
  readonly name: string;
  /** Returns its `args`. `sleep` is a command that all that it leaves behind runs. */
  readonly args: (sleep: string) => string[];
  /** Whether what it leaves is in the session of its leader. */
  readonly isInSession: boolean;
}

/** The ways that occur in practice. */
export const ESCAPES: readonly Escape[] = [
  // coreutils' timeout makes a process group of its own.
  { name: "timeout", args: (sleep) => sh(`while :; do timeout 3000 ${sleep}; done`), isInSession: true },
  { name: "set -m", args: (sleep) => ["bash", "-c", `set -m; ${sleep} & wait`], isInSession: true },
  { name: "setsid", args: (sleep) => sh(`setsid ${sleep} & exec sleep 1000`), isInSession: false },
  {
    name: "double fork",
    args: (sleep) => sh(`(setsid sh -c '${sleep} > /dev/null 2>&1 & exit 0' &); exec sleep 1000`),
    isInSession: false,
  },
  {
    // su makes a session for the command, and passes SIGTERM on, which the command ignores.
    name: "su -c",
    args: (sleep) => ["su", "-s", "/bin/sh", "-c", `trap '' TERM; ${sleep}`, "nobody"],
    isInSession: false,
  },
];

/** Returns a command that sleeps for a time that no other process sleeps for. Test files share one pid. */
export function uniqueSleep(): string {
  return `sleep 3000.${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
}

/** Returns the pids of the processes that run a command, without zombies. */
export async function running(command: string): Promise<number[]> {
  const { stdout } = await run(["ps", "-ww", "-eo", "pid=,stat=,args="]);
  return stdout.split("\n").flatMap((line) => {
    const [, pid, state, args] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return args === command && !state!.startsWith("Z") ? [Number(pid)] : [];
  });
}

/** Waits until so many processes run a command. */
export async function untilRunning(command: string, count: number): Promise<void> {
  await until(`${count} run "${command}"`, async () => (await running(command)).length === count);
}

/** Ends the processes that run a command. */
export async function endAll(command: string): Promise<void> {
  for (const pid of await running(command)) signalIfThere(pid, "SIGKILL");
}

/** The permissions of a monitor that uses cgroups. */
export const ALL: readonly string[] = ["--allow-all"];

/** Whether a monitor can use cgroups here. */
export const HAS_CGROUPS: boolean = (await run(sh(`
  mount=$(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\([^ ]*\\) .* - cgroup2 .*/\\1/p' /proc/self/mountinfo | tail -n 1)
  own=$(sed -n 's/^0:://p' /proc/self/cgroup)
  mkdir "$mount$own/ncolony-test-$$" && rmdir "$mount$own/ncolony-test-$$"
`))).code === 0;

/** Returns the directory of the colony's cgroups, which the monitor logs. */
export async function cgroupsOf(colony: Colony): Promise<string> {
  return (await colony.waitFor(/, kill scope cgroup \((.*)\)$/))[1]!;
}

/** Returns the names below a directory. Deno itself may read cgroups only with all permissions. */
export async function namesBelow(path: string): Promise<string[]> {
  return (await run(["find", path, "-mindepth", "1", "-type", "d"])).stdout.split("\n").filter(Boolean);
}

/** Doubles its processes again and again, up to its limit. */
export const FORK_BOMB = "while (1) { fork; select(undef, undef, undef, 0.02) }";

/** Returns the states of a user's processes: `S`, `R+`, `Z` and so on. */
export async function statesOf(uid: number): Promise<string[]> {
  return (await run(["ps", "--no-headers", "-o", "stat=", "-u", `${uid}`])).stdout.split("\n").filter(Boolean);
}
