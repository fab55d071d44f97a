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

/** Whom stop and kill signals reach: the process group, or the leader alone. */
export type KillScope = "group" | "process";

/** How large a log file may become, and how many old ones stay. */
export interface LogLimits {
  /** The size, in bytes, at which it becomes an old one. */
  readonly maxBytes: number;
  /** How many old ones stay. */
  readonly keep: number;
}

/** What one config file says must run: its text, understood. */
export interface Spec {
  /** The name of the process, which is that of its file. */
  readonly name: string;
  /** The file's text, unchanged: the child finds it in `NCOLONY_CONFIG`. Two specs are the same when their sources are. */
  readonly source: string;
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** Environment variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables that are copied from the monitor's environment, over `env`. */
  readonly envInherit: readonly string[];
  /** The user id to run as; absent: the monitor's. */
  readonly uid?: number;
  /** The group id to run as; absent: the monitor's. */
  readonly gid?: number;
  /** The groups that RESTART-GROUP may name. */
  readonly groups: readonly string[];
  /** The working directory, an absolute path; absent: the monitor's. */
  readonly cwd?: string;
  /** The signal that asks it to end. */
  readonly stopSignal: StopSignal;
  /** How long it has, after the stop signal, until SIGKILL, in milliseconds; absent: the monitor's `--killtime`. */
  readonly killTimeMs?: number;
  /** Whom the signals reach. */
  readonly killScope: KillScope;
  /** What its log file has that differs from the monitor's; false: it has none, also where others have. */
  readonly log: false | Partial<LogLimits>;
  /** False: known, but not run. */
  readonly enabled: boolean;
}

/** How a process is stopped. */
export type StopRules = Pick<Spec, "stopSignal" | "killTimeMs" | "killScope">;

/** How a spec says that its process is stopped. */
export function stopRulesOf({ stopSignal, killTimeMs, killScope }: Spec): StopRules {
  return { stopSignal, ...(killTimeMs === undefined ? {} : { killTimeMs }), killScope };
}

/** What was found under one name of a directory: a file's text, or why there is none. */
export type Entry = { readonly source: string } | { readonly fault: string };

/** What is wrong with one config file, as a value. */
export interface Problem {
  /** The name of the file. */
  readonly name: string;
  /** The key that is wrong, or null. */
  readonly field: string | null;
  /** What is wrong, without the name of the file. */
  readonly reason: string;
  /** Tells the text that was wrong from other texts, without keeping it. */
  readonly digest: number;
}

/** What a message file asks for. */
export type Message =
  | { readonly type: "RESTART"; readonly name: string }
  | { readonly type: "RESTART-ALL" }
  | { readonly type: "RESTART-GROUP"; readonly group: string };

/** How a child ended, or why it could not be started. */
export type Exit =
  | { readonly type: "code"; readonly code: number }
  | { readonly type: "signal"; readonly signal: string }
  | { readonly type: "failed"; readonly reason: string };

/** When a process that died is started again, and how long one that is stopped has; all in milliseconds. */
export interface RestartPolicy {
  /** A death before this age is an instant one. */
  readonly thresholdMs: number;
  /** The delay after the first instant death. */
  readonly minDelayMs: number;
  /** The delay doubles up to this. */
  readonly maxDelayMs: number;
  /** The time between the stop signal and SIGKILL, where the spec has none. */
  readonly killTimeMs: number;
}
