import { resolve } from "@std/path/posix/resolve";
import { faultOf } from "../deno_errors.ts";
import { lstat } from "../files/lstat.ts";
import { openAppend } from "../files/open.ts";
import { resolveTrusted, UntrustedError } from "../files/trust.ts";
import { isGranted } from "../permission.ts";
import type { Target } from "./writer.ts";

/** The user who runs the program, and its group, may read a log. */
const MODE = 0o640;

/** Streams that are already open in this program. */
const OWN_STREAMS = /^\/dev\/(stdout|stderr|fd\/\d+)$|^\/proc\/self\/fd\/\d+$/;

/** An open log: Deno.stdout, Deno.stderr, or the file of `--log-file`. */
export interface LogTarget extends Target {
  /** Whether the log is a terminal. */
  isTerminal(): boolean;
}

/**
 * Opens a log for appending: a file, which is created if it is missing, or a device. A user who could replace the file
 * could make this program write elsewhere, so no other user may be able to change the file or the path to it.
 *
 * @throws {Error} If that fails.
 */
export function openLog(path: string): LogTarget {
  const absolute = resolve(path);
  // Without permission to read the path, this program cannot check it.
  const isVisible = isGranted({ name: "read", path: absolute });
  if (!isVisible || OWN_STREAMS.test(absolute)) {
    return Deno.openSync(absolute, { append: true, create: true, mode: MODE });
  }
  try {
    const target = findTarget(absolute);
    if (lstat(target)?.isCharDevice) return Deno.openSync(target, { append: true });
    return openAppend(target, MODE);
  } catch (error) {
    const fault = error instanceof UntrustedError ? `${error.message}; fix it with chmod or chown` : faultOf(error);
    throw new Error(`Cannot write to ${JSON.stringify(path)}: ${fault}`);
  }
}

function findTarget(path: string): string {
  try {
    return resolveTrusted(path, {}).path;
  } catch (error) {
    // The file does not exist yet, and the path to it has been checked.
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}
