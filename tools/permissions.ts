/**
 * The V8 flags of bundles and binaries. `--optimize-for-size` collects garbage early and closes the gaps that it
 * leaves. Every start and exit of a child leaves garbage. With 300 children and 60 exits per second, the monitor needs
 * half the memory, and its memory does not grow.
 */
export const V8_FLAGS = "--v8-flags=--optimize-for-size";

/** The minimum permissions of each tool. */
export const LEAST_PERMISSIONS = {
  monitor: ["--allow-read", "--allow-write", "--allow-run", "--allow-env", "--allow-sys=uid,gid"],
  ctl: ["--allow-read", "--allow-write"],
  beatcheck: ["--allow-read", "--allow-write", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"],
  httpcheck: ["--allow-read", "--allow-write", "--allow-net", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"],
  scheduler: ["--allow-read", "--allow-write", "--allow-run", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"],
  notify: ["--allow-read", "--allow-write", "--allow-run", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"],
  reaper: ["--allow-run", "--allow-ffi"],
  web: ["--allow-net", "--allow-read"],
} as const;

/** What a command of ctl reads and writes. */
export interface CtlPermissions {
  /** What it must read. */
  readonly read: readonly CtlPath[];
  /** What it must write. */
  readonly write: readonly CtlPath[];
  /** What it reads only to check that there is such a process. Without it, it does not check. */
  readonly check?: readonly CtlPath[];
  /** What it must read with `--wait` as well. Absent for commands without that option. */
  readonly wait?: readonly CtlPath[];
}

/** A directory of the colony, or the file of an option, or its directory. */
export type CtlPath = "CONFIG" | "MESSAGES" | "STATUS" | "LOGS" | "FILE" | "DIR";

/** The minimum permissions of each command of ctl. */
export const CTL_PERMISSIONS: Readonly<Record<string, CtlPermissions>> = {
  add: { read: ["CONFIG"], write: ["CONFIG"], wait: ["STATUS"] },
  "add --extras FILE": { read: ["CONFIG", "FILE"], write: ["CONFIG"], wait: ["STATUS"] },
  remove: { read: ["CONFIG"], write: ["CONFIG"], wait: ["STATUS"] },
  stop: { read: ["CONFIG"], write: ["CONFIG"], wait: ["STATUS"] },
  start: { read: ["CONFIG"], write: ["CONFIG"], wait: ["STATUS"] },
  restart: { read: ["MESSAGES"], write: ["MESSAGES"], check: ["CONFIG"], wait: ["STATUS"] },
  "restart-all": { read: ["MESSAGES"], write: ["MESSAGES"], wait: ["STATUS"] },
  "restart-group": { read: ["MESSAGES"], write: ["MESSAGES"], check: ["CONFIG"], wait: ["CONFIG", "STATUS"] },
  patch: { read: ["CONFIG"], write: ["CONFIG"], wait: ["STATUS"] },
  check: { read: ["CONFIG"], write: [] },
  plan: { read: ["CONFIG"], write: [] },
  status: { read: ["STATUS"], write: [] },
  "status --group": { read: ["CONFIG", "STATUS"], write: [] },
  why: { read: ["STATUS"], write: [] },
  events: { read: ["STATUS"], write: [] },
  metrics: { read: ["STATUS"], write: [] },
  "metrics --output DIR/FILE": { read: ["STATUS", "DIR"], write: ["DIR"] },
  logs: { read: ["LOGS"], write: [] },
  completions: { read: [], write: [] },
};

/** What a program needs that runs commands and may look for a colony, of any user. */
const COLONY_RUNS = [
  ...["--allow-read", "--allow-write", "--allow-run"],
  "--allow-env=NCOLONY_COLONY,NCOLONY_CONFIG,NCOLONY_NAME",
  "--allow-sys=uid",
] as const;

/**
 * The permissions of tasks, bundles and binaries. All but reaper may read `NCOLONY_COLONY`. ctl may know its user, for
 * `check --here`; and so may the scheduler and notify, for directories that are not root's. The monitor
 * gets all permissions: `--allow-run` already lets it do anything, and Deno requires all of them to read /proc, where
 * the monitor finds leftover processes of a killed monitor.
 */
export const PERMISSIONS = {
  ...LEAST_PERMISSIONS,
  monitor: ["--allow-all"],
  ctl: [...LEAST_PERMISSIONS.ctl, "--allow-env=NCOLONY_COLONY", "--allow-sys=uid"],
  beatcheck: ["--allow-read", "--allow-write", "--allow-env=NCOLONY_COLONY,NCOLONY_CONFIG,NCOLONY_NAME"],
  httpcheck: ["--allow-read", "--allow-write", "--allow-net", "--allow-env=NCOLONY_COLONY,NCOLONY_CONFIG,NCOLONY_NAME"],
  scheduler: COLONY_RUNS,
  notify: COLONY_RUNS,
  web: [...LEAST_PERMISSIONS.web, "--allow-env=NCOLONY_COLONY"],
} as const;

/** The name of a tool. */
export type Tool = keyof typeof PERMISSIONS;

/** The names of all tools. */
export const TOOLS = Object.keys(PERMISSIONS) as readonly Tool[];

/** The permissions of the umbrella, which may run as the monitor. */
export const UMBRELLA_PERMISSIONS: readonly string[] = PERMISSIONS.monitor;
