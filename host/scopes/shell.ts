import { isGranted } from "../permission.ts";

/** Options of a script. */
export interface ScriptOptions {
  /** The arguments, `$1` and so on. @default {[]} */
  readonly args?: readonly string[];
  /** Whether it inherits this program's environment, and sets its own PATH. @default {false} */
  readonly inheritEnv?: boolean;
}

/** Runs a script with /bin/sh and the system's commands, and returns its output. @throws {Error} If that fails. */
export function askShell(script: string, { args = [], inheritEnv = false }: ScriptOptions = {}): string {
  const { success, stdout, stderr } = new Deno.Command("/bin/sh", {
    args: ["-c", script, "sh", ...args],
    ...(inheritEnv ? {} : { env: { PATH: "/bin:/usr/bin" }, clearEnv: true }),
    stdin: "null",
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return new TextDecoder().decode(stdout);
}

/** Returns whether a path leads to a file with an execute bit. False if that cannot be seen. */
export function isExecutable(path: string): boolean {
  // Without it, Deno may prompt for it at the terminal.
  if (!isGranted({ name: "read", path })) return false;
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    // It does not exist, or cannot be seen.
    return false;
  }
}
