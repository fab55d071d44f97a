/** What else a script is told. */
export interface ScriptOptions {
  /** `$1` and so on. @default {[]} */
  readonly args?: readonly string[];
  /** Whether it sees this program's environment, and sets its own PATH. @default {false} */
  readonly inheritEnv?: boolean;
}

/** What a script prints that /bin/sh runs, with commands of the system alone. @throws {Error} Where that cannot be done, or fails. */
export function askShell(script: string, { args = [], inheritEnv = false }: ScriptOptions = {}): string {
  const { success, stdout, stderr } = new Deno.Command("/bin/sh", {
    args: ["-c", script, "sh", ...args],
    ...(inheritEnv ? {} : { env: { PATH: "/bin:/usr/bin" }, clearEnv: true }),
    stdin: "null",
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return new TextDecoder().decode(stdout);
}
