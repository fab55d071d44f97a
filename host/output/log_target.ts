import { resolve } from "@std/path/posix/resolve";
import { faultOf } from "../deno_errors.ts";
import { lstat } from "../files/lstat.ts";
import { openAppend } from "../files/open.ts";
import { resolveTrusted, UntrustedError } from "../files/trust.ts";
import { isGranted } from "../permission.ts";
import type { Target } from "./writer.ts";

/** Who may read a log: whoever runs the program, and their group. */
const MODE = 0o640;

/** Streams that this program has already. */
const OWN_STREAMS = /^\/dev\/(stdout|stderr|fd\/\d+)$|^\/proc\/self\/fd\/\d+$/;

/** A log that was opened: Deno.stdout, Deno.stderr, or what `--log-file` names. */
export interface LogTarget extends Target {
  /** Whether it is a terminal. */
  isTerminal(): boolean;
}

/**
 * Opens a log to append to it: a file, which is made where it is missing, or a device. Who could put another file in its place
 * would have this program write there, so nobody else may change it, or the way there.
 *
 * @throws {Error} Where that cannot be done.
 */
export function openLog(path: string): LogTarget {
  const absolute = resolve(path);
  // Where this program may not look at it, it can see nothing of that.
  const isVisible = isGranted({ name: "read", path: absolute });
  if (!isVisible || OWN_STREAMS.test(absolute)) {
    return Deno.openSync(absolute, { append: true, create: true, mode: MODE });
  }
  try {
    const target = findTarget(absolute);
    if (lstat(target)?.isCharDevice) return Deno.openSync(target, { append: true });
    return { ...openAppend(target, MODE), isTerminal: () => false };
  } catch (error) {
    const fault = error instanceof UntrustedError ? `it ${error.message}: chmod, or chown` : faultOf(error);
    throw new Error(`Cannot write to ${JSON.stringify(path)}: ${fault}`);
  }
}

function findTarget(path: string): string {
  try {
    return resolveTrusted(path, {}).path;
  } catch (error) {
    // It is not there yet, and the way to it has been judged.
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}
