import { denoClock } from "../clock.ts";

/** The destination of bytes: Deno.stdout, Deno.stderr, or a file. */
export interface Target {
  /** Writes some of the bytes. Returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** What a writer reports. */
export interface WriterReport {
  /** A write failed, after one that succeeded. */
  fault(error: unknown): void;
  /** This many offers were discarded. Now there is room again. */
  lost(count: number): void;
}

/** How long to wait before writing again to a stream that would block, in milliseconds. */
const BLOCKED_MS = 5;

/** The default for how much may wait to be written, in bytes. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** A buffer that is this many times larger than its last content is not kept. */
const MUCH_LARGER = 64;

const EMPTY = new Uint8Array(0);

/**
 * Writes to a stream in order, one write at a time, with bounded memory even if the stream is read slowly.
 *
 * What cannot be written at all (to a closed pipe or a full disk) is discarded, and this is reported once.
 */
export class Writer {
  readonly #target: Target;
  readonly #report: WriterReport;
  readonly #maxBytes: number;
  #waiting = EMPTY;
  #waitingBytes = 0;
  /** How many of those bytes were offered. */
  #offeredBytes = 0;
  #unused = EMPTY;
  #writing: Promise<void> | null = null;
  /** Resolves when the waiting bytes are being written, so that there is room again. */
  #room = Promise.withResolvers<void>();
  #isBroken = false;
  #lost = 0;

  /** Creates a writer for a stream. Nothing else may write to the stream. */
  constructor(target: Target, report: WriterReport, maxBytes: number = MAX_WAITING_BYTES) {
    this.#target = target;
    this.#report = report;
    this.#maxBytes = maxBytes;
  }

  /** Calls back when there is room for more bytes, possibly at once. */
  async whenRoom(callback: () => void): Promise<void> {
    while (this.#takenBytes >= this.#maxBytes) await this.#room.promise;
    callback();
  }

  /** Adds bytes, or discards them if too many offered bytes are waiting. Other waiting bytes do not count. */
  offer(bytes: Uint8Array): void {
    if (this.#offeredBytes + bytes.length > this.#maxBytes) {
      this.#lost++;
      return;
    }
    this.#offeredBytes += bytes.length;
    this.add(bytes);
  }

  /** Resolves when nothing waits any more. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** Adds a copy of the bytes, no matter how much is waiting. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const needed = this.#waitingBytes + bytes.length;
    if (needed > this.#waiting.length) {
      const larger = new Uint8Array(Math.max(needed, Math.min(2 * this.#waiting.length, this.#maxBytes)));
      larger.set(this.#waiting.subarray(0, this.#waitingBytes));
      this.#waiting = larger;
    }
    this.#waiting.set(bytes, this.#waitingBytes);
    this.#waitingBytes = needed;
    this.#writing ??= this.#writeWaiting();
  }

  /** How many bytes are waiting, without those that were offered. */
  get #takenBytes(): number {
    return this.#waitingBytes - this.#offeredBytes;
  }

  #reportLost(): void {
    const lost = this.#lost;
    this.#lost = 0;
    this.#report.lost(lost);
  }

  /** Writes some bytes as soon as the stream takes any. A stream that another program made non-blocking is no fault. */
  async #write(bytes: Uint8Array): Promise<number> {
    for (;;) {
      try {
        return await this.#target.write(bytes);
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        await new Promise<void>((resolve) => denoClock.after(BLOCKED_MS, resolve));
      }
    }
  }

  /** Writes until nothing waits. */
  async #writeWaiting(): Promise<void> {
    while (this.#waitingBytes > 0) {
      const bytes = this.#waiting.subarray(0, this.#waitingBytes);
      [this.#waiting, this.#unused] = [this.#unused, this.#waiting];
      this.#waitingBytes = 0;
      this.#offeredBytes = 0;
      this.#room.resolve();
      this.#room = Promise.withResolvers();
      if (this.#lost > 0) this.#reportLost();
      try {
        for (let written = 0; written < bytes.length;) written += await this.#write(bytes.subarray(written));
        this.#isBroken = false;
      } catch (error) {
        // The stream is closed or the disk is full. The supervised processes keep running.
        if (!this.#isBroken) this.#report.fault(error);
        this.#isBroken = true;
      }
      // This frees memory after a flood. During one, new buffers would pile up faster than they are collected.
      if (bytes.length * MUCH_LARGER < this.#unused.length) this.#unused = EMPTY;
    }
    this.#writing = null;
  }
}
