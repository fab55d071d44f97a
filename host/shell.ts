/** What a script prints that /bin/sh runs, with commands of the system alone. @throws {Error} Where that cannot be done, or fails. */
export function askShell(script: string): string {
  const { success, stdout, stderr } = new Deno.Command("/bin/sh", {
    args: ["-c", script],
    env: { PATH: "/bin:/usr/bin" },
    clearEnv: true,
    stdin: "null",
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return new TextDecoder().decode(stdout);
}
