import { isGranted } from "../permission.ts";
import { LackError } from "./system_tools.ts";

/** Checks that this program may set its umask. Deno knows no list with it. @throws {LackError} If it may not. */
export function requireUmask(): void {
  if (!isGranted({ name: "sys", kind: "umask" })) throw new LackError("the monitor needs --allow-sys without a list");
}

/**
 * Runs an action that starts a child, which inherits the umask.
 *
 * The umask belongs to the whole program, so it is changed only until the action returns. NColony creates all files
 * synchronously, so none is created meanwhile, except by other threads of a program that embeds it.
 */
export function withUmask<T>(umask: number | undefined, action: () => T): T {
  if (umask === undefined) return action();
  const own = Deno.umask(umask);
  try {
    return action();
  } finally {
    Deno.umask(own);
  }
}
