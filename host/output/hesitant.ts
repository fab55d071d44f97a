import type { LogTarget } from "./log_target.ts";

const NEWLINE = 0x0a;
const EMPTY = new Uint8Array(0);

/** Less than Rust's buffer for stdout can hold. */
const MAX_BYTES = 512;

/**
 * Wraps a non-blocking stdout, so that it is certain how much was written when a write fails.
 *
 * Deno writes to stdout through a buffer of Rust that keeps lines together. If a write fails with "would block", any
 * part of it may be in that buffer and come later. But a piece without a newline is taken as a whole, and a single
 * newline is not taken at all.
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
    // Async so that errors become rejections.
    // deno-lint-ignore require-await
    write: async (bytes) => write(bytes),
  };
}
