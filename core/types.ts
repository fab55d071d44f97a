import type { Place } from "./json_scan.ts";
import type { Surroundings } from "./surroundings.ts";

/** A signal that asks a process to end. */
export type StopSignal =
  | "SIGTERM"
  | "SIGINT"
  | "SIGHUP"
  | "SIGQUIT"
  | "SIGKILL"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGWINCH"
  | "SIGABRT"
  | "SIGALRM"
  | "SIGPWR";

/** The signals that `stop_signal` may name. */
export const STOP_SIGNALS: readonly StopSignal[] = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGKILL",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGABRT",
  "SIGALRM",
  "SIGPWR",
];

/**
 * Which processes stop and kill signals are sent to, and must have ended before the next start: the leader alone, its
 * process group, its session, its cgroup, or the widest of these that the host offers.
 */
export type KillScope = "process" | "group" | "session" | "cgroup" | "all";

/** The kill scopes from the narrowest to the widest, without `all`. */
export const SCOPE_WIDTHS: readonly Exclude<KillScope, "all">[] = ["process", "group", "session", "cgroup"];

/** The values of `kill_scope`. */
export const KILL_SCOPES: readonly KillScope[] = [...SCOPE_WIDTHS, "all"];

/** How much of the machine a process and its descendants may use. */
export interface Limits {
  /** The most memory, in bytes. */
  readonly memoryBytes?: number;
  /** How many processors it may keep busy: 1.5 is one and a half. */
  readonly cpus?: number;
  /** The most processes and threads. */
  readonly pids?: number;
}

/** The size limit of a log file, how many old ones are kept, and whether its lines have times. */
export interface LogLimits {
  /** The size at which the file is rotated, in bytes. */
  readonly maxBytes: number;
  /** How many old files are kept. */
  readonly keep: number;
  /** Whether each line begins with its time and its stream, and starts and ends are marked. */
  readonly hasTimes: boolean;
}

/** A parsed config file: what to run, and how. */
export interface Spec {
  /** The name of the process, which is the name of its file. */
  readonly name: string;
  /** The unchanged text of the file, which the child gets as `NCOLONY_CONFIG`. Specs are equal if their sources are. */
  readonly source: string;
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** Environment variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables that are copied from the monitor's environment. They override `env`. */
  readonly envInherit: readonly string[];
  /** The user id to run as; absent: the monitor's. */
  readonly uid?: number;
  /** The group id to run as; absent: the monitor's. */
  readonly gid?: number;
  /** The groups of the process, which RESTART-GROUP can name. */
  readonly groups: readonly string[];
  /** The working directory, an absolute path; absent: the monitor's. */
  readonly cwd?: string;
  /** Its user, groups, umask, priorities and limit of open files. */
  readonly surroundings: Surroundings;
  /** The signal that asks the process to exit. */
  readonly stopSignal: StopSignal;
  /** The time between the stop signal and SIGKILL, in milliseconds; absent: the monitor's `--killtime`. */
  readonly killTimeMs?: number;
  /** What the signals are sent to. */
  readonly killScope: KillScope;
  /** Whether the leader may exit with 0 while the process goes on. */
  readonly daemonizes: boolean;
  /** What the process and its descendants may use. */
  readonly limits: Limits;
  /** Limits of the log file that override the monitor's. False: no log file, even if other processes have one. */
  readonly log: false | Partial<LogLimits>;
  /** Whether to run the process. */
  readonly enabled: boolean;
}

/** How a process is stopped. */
export type StopRules = Pick<Spec, "stopSignal" | "killTimeMs" | "killScope">;

/** Returns the part of a spec that says how to stop its process. */
export function stopRulesOf({ stopSignal, killTimeMs, killScope }: Spec): StopRules {
  return { stopSignal, ...(killTimeMs === undefined ? {} : { killTimeMs }), killScope };
}

/** What a name in a directory holds: the text of a file, or why it cannot be read. */
export type Entry = { readonly source: string } | { readonly fault: string };

/** What is wrong with a config file. */
export interface Problem {
  /** The name of the file. */
  readonly name: string;
  /** The path of the invalid key, or null. */
  readonly field: string | null;
  /** What is wrong, without the name of the file. */
  readonly reason: string;
  /** Where it is. Null if that is no place in the text. */
  readonly place: Place | null;
  /** A hash of the invalid text, which shows whether it changed. */
  readonly digest: number;
}

/** What keeps a valid config from being used on a machine. */
export interface Lack {
  /** The path of the key that cannot be honored. */
  readonly field: string;
  /** What is missing, without the name of the file. */
  readonly reason: string;
}

/** What a message file asks for. */
export type Message =
  & Origin
  & (
    | { readonly type: "RESTART"; readonly name: string }
    | { readonly type: "RESTART-ALL" }
    | { readonly type: "RESTART-GROUP"; readonly group: string }
  );

/** What a message says about itself. Python NColony ignores it. */
export interface Origin {
  /** Who sent it, such as `httpcheck`. At most 200 characters are kept. */
  readonly from?: string;
  /** Why. At most 200 characters are kept. */
  readonly reason?: string;
  /** Which start of the process it is meant for. A restart of an older one does nothing. */
  readonly incarnation?: number;
}

/** How a child exited, why it could not be started, or why it is unknown how it exited. */
export type Exit =
  | { readonly type: "code"; readonly code: number }
  | { readonly type: "signal"; readonly signal: string }
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "unknown"; readonly reason: string };

/** The restart delays, and the default kill time; all in milliseconds. */
export interface RestartPolicy {
  /** An exit before this age counts as a crash. */
  readonly thresholdMs: number;
  /** The restart delay after the first crash. */
  readonly minDelayMs: number;
  /** The greatest restart delay. The delay doubles with each crash in a row. */
  readonly maxDelayMs: number;
  /** The time between the stop signal and SIGKILL, if the spec has none. */
  readonly killTimeMs: number;
}
