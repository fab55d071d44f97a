import { inheritableDescriptors } from "../scopes/proc.ts";
import { describeError } from "../deno_errors.ts";
import { openLibc } from "../libc.ts";
import { isGranted } from "../permission.ts";

/**
 * Keeps the children of this program from inheriting the file descriptors that its parent left open, such as the
 * sockets of systemd's socket activation. Deno opens all of its own so that no child inherits them.
 *
 * Deno allows seeing and changing that only with --allow-all. Otherwise this does nothing.
 *
 * @returns Why children inherit some all the same, for the log, or null.
 */
export function closeOnExec(): string | null {
  const [F_SETFD, FD_CLOEXEC] = [2, 1];
  const descriptors = look();
  // Most programs inherit none, and need not wait for the C library.
  if (descriptors.length === 0) return null;
  try {
    const { fcntl } = openLibc({ fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" } });
    for (const descriptor of descriptors) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    return null;
  } catch (error) {
    const whose = `the program that started this one (${descriptors.join(", ")})`;
    return `processes inherit file descriptors of ${whose}: ${describeError(error)}`;
  }
}

function look(): number[] {
  try {
    // Without the permission, Deno may prompt for it at the terminal.
    return isGranted({ name: "read" }) ? inheritableDescriptors() : [];
  } catch {
    // It cannot be read, or there is no /proc.
    return [];
  }
}
