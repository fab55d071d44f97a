/** Whether something is allowed; to ask Deno for it by doing it could ask a person at the terminal. */
export function isGranted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

/**
 * Sees that this program may run commands and send signals, for which Deno wants `--allow-run` without a list.
 *
 * @throws {Error} Where it may not.
 */
export function requireRun(): void {
  if (isGranted({ name: "run" })) return;
  throw new Error("needs --allow-run, to start commands, and without a list of them, to send signals");
}
