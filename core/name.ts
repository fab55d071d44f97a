/** Whether the monitor passes over a directory entry without a word: names that begin with `.` or end with `.new`. */
export function isIgnored(name: string): boolean {
  return name.startsWith(".") || name.endsWith(".new");
}

/** What editors and packagers call the files that they leave beside a config: this and no more. */
const LEFTOVER =
  /~$|^#.*#$|\.(?:bak|orig|rej|swp|dpkg-(?:old|new|dist|tmp)|rpm(?:save|new|orig)|ucf-(?:old|new|dist))$/s;

/**
 * Says what is wrong with a process's name, or null where nothing is.
 *
 * A name is the name of a file in the config directory, so it must not lead out of it, must not be one that the monitor
 * ignores or takes for a file that an editor or a packager left, and must be printable in one line of a log.
 */
export function nameFault(name: string): string | null {
  const fault = fileNameFault(name);
  if (fault !== null || !LEFTOVER.test(name)) return fault;
  return "a name must not be one that editors and packagers give to backup and temporary files (the monitor does not run those)";
}

/** As {@linkcode nameFault}, but also backup and temporary files may be named: to be removed, for instance. */
export function fileNameFault(name: string): string | null {
  if (name === "") return "a name must not be empty";
  if (name.includes("/")) return 'a name must not contain "/"';
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) return "a name must not contain control characters";
  if (!name.isWellFormed()) return "a name must be well-formed Unicode";
  if (name.startsWith(".")) return 'a name must not begin with "." (the monitor ignores such files)';
  if (name.endsWith(".new")) return 'a name must not end with ".new" (the monitor ignores such files)';
  return null;
}
