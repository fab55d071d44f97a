/**
 * What bundles and binaries tell V8: `--optimize-for-size`, to collect garbage early, and to close the gaps that it leaves.
 * Every start and end of a child leaves some behind; with 300 children and 60 deaths a second the monitor holds half the
 * memory, and it stays the same.
 */
export const V8_FLAGS = "--v8-flags=--optimize-for-size";

/** The least permissions that each tool needs. */
export const LEAST_PERMISSIONS = {
  monitor: ["--allow-read", "--allow-write", "--allow-run", "--allow-env", "--allow-sys=uid,gid"],
  ctl: ["--allow-read", "--allow-write"],
  beatcheck: ["--allow-read", "--allow-write", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"],
  httpcheck: ["--allow-read", "--allow-write", "--allow-net", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"],
  scheduler: ["--allow-read", "--allow-write", "--allow-run", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"],
  reaper: ["--allow-run", "--allow-ffi"],
} as const;

/**
 * The permissions that tasks, bundles and binaries have. With `--allow-run` nothing is really withheld from the monitor, and
 * only with all permissions Deno lets it read /proc, by which it finds what a killed monitor left running.
 */
export const PERMISSIONS = { ...LEAST_PERMISSIONS, monitor: ["--allow-all"] } as const;

/** The name of a tool. */
export type Tool = keyof typeof PERMISSIONS;

/** The names of all tools. */
export const TOOLS = Object.keys(PERMISSIONS) as readonly Tool[];

/** What the umbrella needs, which may be the monitor. */
export const UMBRELLA_PERMISSIONS: readonly string[] = PERMISSIONS.monitor;
