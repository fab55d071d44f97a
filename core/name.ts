/** Returns whether the monitor silently ignores a directory entry: its name begins with `.` or ends with `.new`. */
export function isIgnored(name: string): boolean {
  return name.startsWith(".") || name.endsWith(".new");
}

/** The names that editors and package managers give to files that they leave next to a config. */
const LEFTOVER =
  /~$|^#.*#$|\.(?:bak|orig|rej|swp|dpkg-(?:old|new|dist|tmp)|rpm(?:save|new|orig)|ucf-(?:old|new|dist))$/s;

/**
 * Returns what is wrong with the name of a process, or null if the name is valid.
 *
 * The name is a file name in the config directory. So it must not lead out of the directory, must not be a name that
 * the monitor ignores or that editors and package managers give to leftover files, and must fit on one log line.
 */
export function nameFault(name: string): string | null {
  const fault = fileNameFault(name);
  if (fault !== null || !LEFTOVER.test(name)) return fault;
  return "a name must not look like a backup or temporary file of an editor or package manager (the monitor ignores such files)";
}

/** Like {@linkcode nameFault}, but allows the names of backup and temporary files, for example to remove them. */
export function fileNameFault(name: string): string | null {
  if (name === "") return "a name must not be empty";
  if (name.includes("/")) return 'a name must not contain "/"';
  // deno-lint-ignore no-control-regex -- the pattern finds control characters
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) return "a name must not contain control characters";
  if (!name.isWellFormed()) return "a name must be well-formed Unicode";
  if (name.startsWith(".")) return 'a name must not begin with "." (the monitor ignores such files)';
  if (name.endsWith(".new")) return 'a name must not end with ".new" (the monitor ignores such files)';
  return null;
}
