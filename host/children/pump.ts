import type { Clock, OnBytes } from "../types.ts";

/** A buffer starts with the smallest size, and doubles up to the largest while reads fill it. */
const MIN_BUFFER_BYTES = 512;
const MAX_BUFFER_BYTES = 65_536;

/** How much all buffers may grow in total. */
const MAX_ALL_BUFFERS_BYTES = 16 * 1024 * 1024;

/** When the group is empty, a pipe that another process still holds is read until it is silent for this long… */
const IDLE_MS = 1000;

/** …or until this many bytes were read, which is more than a pipe holds by default… */
const MAX_DRAIN_BYTES = 1024 * 1024;

/** …or until reads waited for this long in total, because the process may write a little now and then, forever. */
const MAX_WAIT_MS = 3000;

let allBuffersBytes = 0;

/** One pipe that is being read. */
export interface Pump {
  /** Reads what is in the pipe after its writers exited, then stops, even if another process keeps it open. */
  finish(): void;
  /** Resolves when no more output comes. Never rejects. */
  readonly done: Promise<void>;
}

/**
 * Reads a child's pipe and passes it to `onBytes`, chunk by chunk. Waits until a chunk is taken before the next read.
 *
 * A pending default read would hold 64 KiB per pipe. A reader with its own buffer holds 512 bytes at first.
 */
export function pump(stream: ReadableStream<Uint8Array>, onBytes: OnBytes, clock: Clock): Pump {
  const reader = stream.getReader({ mode: "byob" });
  let left = Infinity;
  let isReading = false;
  let waitLeftMs = MAX_WAIT_MS;
  let cancelTimer = () => {};
  const stop = () => {
    // The pipe may have ended already.
    reader.cancel().catch(() => {});
  };
  const watchIdle = () => {
    cancelTimer();
    if (left < Infinity && isReading) cancelTimer = clock.after(Math.min(IDLE_MS, waitLeftMs), stop);
  };
  const run = async () => {
    let buffer = new Uint8Array(MIN_BUFFER_BYTES);
    let grownBytes = 0;
    try {
      while (left > 0 && waitLeftMs > 0) {
        isReading = true;
        watchIdle();
        const since = left < Infinity ? clock.now() : null;
        const { value, done } = await reader.read(buffer);
        // The time that a chunk waits to be taken is not counted, so that a full disk loses no output.
        if (since !== null) waitLeftMs -= clock.now() - since;
        isReading = false;
        cancelTimer();
        if (done || value === undefined) break;
        left -= value.length;
        const taken = onBytes(value);
        if (taken !== undefined) await taken;
        buffer = next(value);
        grownBytes = buffer.byteLength - MIN_BUFFER_BYTES;
      }
    } catch {
      // No more can be read. The child's exit is reported elsewhere.
    }
    cancelTimer();
    stop();
    // `buffer.byteLength` is no longer known: the last read detached the buffer.
    allBuffersBytes -= grownBytes;
  };
  return {
    done: run(),
    finish: () => {
      left = Math.min(left, MAX_DRAIN_BYTES);
      watchIdle();
    },
  };
}

/** Returns the buffer for the next read: the same one, or a larger one if the last read filled it. */
function next(value: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const size = value.buffer.byteLength;
  const isFull = value.length === size && size < MAX_BUFFER_BYTES && allBuffersBytes + size < MAX_ALL_BUFFERS_BYTES;
  if (!isFull) return new Uint8Array(value.buffer);
  allBuffersBytes += size;
  return new Uint8Array(2 * size);
}
