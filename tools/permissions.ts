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
  reaper: ["--allow-run", "--allow-ffi"],
} as const;

/**
 * The permissions of tasks, bundles and binaries. All but the scheduler and reaper may read `NCOLONY_COLONY`. The monitor
 * gets all permissions: `--allow-run` already lets it do
 * anything, and Deno requires all of them to read /proc, where the monitor finds leftover processes of a killed
 * monitor.
 */
export const PERMISSIONS = {
  ...LEAST_PERMISSIONS,
  monitor: ["--allow-all"],
  ctl: [...LEAST_PERMISSIONS.ctl, "--allow-env=NCOLONY_COLONY"],
  beatcheck: ["--allow-read", "--allow-write", "--allow-env=NCOLONY_COLONY,NCOLONY_CONFIG,NCOLONY_NAME"],
  httpcheck: ["--allow-read", "--allow-write", "--allow-net", "--allow-env=NCOLONY_COLONY,NCOLONY_CONFIG,NCOLONY_NAME"],
} as const;

/** The name of a tool. */
export type Tool = keyof typeof PERMISSIONS;

/** The names of all tools. */
export const TOOLS = Object.keys(PERMISSIONS) as readonly Tool[];

/** The permissions of the umbrella, which may run as the monitor. */
export const UMBRELLA_PERMISSIONS: readonly string[] = PERMISSIONS.monitor;
