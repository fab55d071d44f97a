/**
 * Variables that make the C library load code or files, or change how it works. glibc itself removes them from
 * programs with more rights than their user (its `unsecvars.h`); the last one is musl's.
 */
const UNSAFE = new Set([
  "GCONV_PATH",
  "GETCONF_DIR",
  "GLIBC_TUNABLES",
  "HOSTALIASES",
  "LOCALDOMAIN",
  "LOCPATH",
  "NIS_PATH",
  "NLSPATH",
  "RESOLV_HOST_CONF",
  "RES_OPTIONS",
  "TMPDIR",
  "TZDIR",
  "MUSL_LOCPATH",
]);

/** Splits an environment into the variables that a program of root may have, and those that it must not have. */
export function splitEnv(env: Readonly<Record<string, string>>): {
  readonly safe: Record<string, string>;
  readonly unsafe: Record<string, string>;
} {
  const isUnsafe = ([name]: [string, string]) => UNSAFE.has(name) || /^(LD|MALLOC)_/.test(name);
  const { safe = [], unsafe = [] } = Object.groupBy(Object.entries(env), (one) => isUnsafe(one) ? "unsafe" : "safe");
  return { safe: Object.fromEntries(safe), unsafe: Object.fromEntries(unsafe) };
}
