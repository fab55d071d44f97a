import type { Clock, OnBytes } from "../types.ts";

/** A buffer begins with this size, and grows to the largest while reads fill it. */
const MIN_BUFFER_BYTES = 512;
const MAX_BUFFER_BYTES = 65_536;

/** All buffers together grow no further than this. */
const MAX_ALL_BUFFERS_BYTES = 16 * 1024 * 1024;

/** After the group's end, a pipe that somebody else still holds is read until it is silent for so long… */
const IDLE_MS = 1000;

/** …or until it gave so much, which is more than it can hold… */
const MAX_DRAIN_BYTES = 1024 * 1024;

/** …or until it was waited for so long in all: somebody may write a little now and then, for ever. */
const MAX_WAIT_MS = 3000;

let allBuffersBytes = 0;

/** One pipe that is being read. */
export interface Pump {
  /** The writers ended: read what is in the pipe, then stop, also when somebody else keeps it open. */
  finish(): void;
  /** Resolves when nothing more comes. Never rejects. */
  readonly done: Promise<void>;
}

/**
 * Reads a child's pipe and gives it to `onBytes`, chunk by chunk, never ahead of what that takes.
 *
 * A pending default read would hold 64 KiB per pipe; a reader with its own buffer holds 512 bytes while a child is silent.
 */
export function pump(stream: ReadableStream<Uint8Array>, onBytes: OnBytes, clock: Clock): Pump {
  const reader = stream.getReader({ mode: "byob" });
  let left = Infinity;
  let isReading = false;
  let waitLeftMs = MAX_WAIT_MS;
  let cancelTimer = () => {};
  const stop = () => {
    // The pipe may have ended meanwhile.
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
        // How long what is written waits to be taken is not counted: a full disk loses nothing.
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
      // A pipe that cannot be read gives nothing more; the child's end is told elsewhere.
    }
    cancelTimer();
    stop();
    // Not asked of the buffer itself: the last read took its memory along.
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

/** The buffer for the next read: the same again, or a larger one where the last read filled it. */
function next(value: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const size = value.buffer.byteLength;
  const isFull = value.length === size && size < MAX_BUFFER_BYTES && allBuffersBytes + size < MAX_ALL_BUFFERS_BYTES;
  if (!isFull) return new Uint8Array(value.buffer);
  allBuffersBytes += size;
  return new Uint8Array(2 * size);
}
