import type { LogTarget } from "./log_target.ts";

const NEWLINE = 0x0a;
const EMPTY = new Uint8Array(0);

/** Less than Rust's buffer for stdout takes. */
const MAX_BYTES = 512;

/**
 * A stdout that does not block, written so that a failure leaves no doubt of what was taken.
 *
 * Deno writes to stdout through a buffer of Rust's that keeps lines together. Where a write fails with "would block", any part of
 * it may be in there, and come later. A piece without a newline is all of it taken, and a newline alone is not.
 */
export function hesitant(stdout: typeof Deno.stdout): LogTarget {
  let isBuffered = false;
  const flush = () => {
    if (isBuffered) stdout.writeSync(EMPTY);
    isBuffered = false;
  };
  const write = (bytes: Uint8Array): number => {
    flush();
    if (bytes[0] === NEWLINE) return stdout.writeSync(bytes.subarray(0, 1));
    const newline = bytes.subarray(0, MAX_BYTES).indexOf(NEWLINE);
    const piece = bytes.subarray(0, newline < 0 ? MAX_BYTES : newline);
    isBuffered = true;
    try {
      stdout.writeSync(piece);
      isBuffered = false;
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    }
    return piece.length;
  };
  return {
    isTerminal: () => stdout.isTerminal(),
    // In an async function, so that what it throws rejects.
    // deno-lint-ignore require-await
    write: async (bytes) => write(bytes),
  };
}
