/** Whether a permission is granted. Trying the operation instead could prompt the user at the terminal. */
export function isGranted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

/**
 * Checks that this program may run commands and send signals. Deno requires `--allow-run` without a list for that.
 *
 * @throws {Error} If the permission is missing.
 */
export function requireRun(): void {
  if (isGranted({ name: "run" })) return;
  throw new Error("needs --allow-run without a list of programs, to start commands and send signals");
}
