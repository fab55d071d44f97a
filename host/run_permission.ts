/**
 * Sees that this program may run commands and send signals, for which Deno wants `--allow-run` without a list.
 *
 * @throws {Error} Where it may not.
 */
export function requireRun(): void {
  if (Deno.permissions.querySync({ name: "run" }).state === "granted") return;
  throw new Error("needs --allow-run, to start commands, and without a list of them, to send signals");
}
