import { denoClock } from "../clock.ts";

/** Where bytes end up: Deno.stdout, Deno.stderr, or a file. */
export interface Target {
  /** Writes some of the bytes, says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** What a writer tells of itself. */
export interface WriterReport {
  /** A write failed, after one that did not. */
  fault(error: unknown): void;
  /** So many offers were thrown away; now there is room again. */
  lost(count: number): void;
}

/** How long a stream that takes nothing now is left alone. */
const BLOCKED_MS = 5;

/** How much may wait to be written, where nothing else is said. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** A buffer that is so many times larger than what was in it is not kept. */
const MUCH_LARGER = 64;

const EMPTY = new Uint8Array(0);

/**
 * Writes to a stream in order, one write at a time, with bounded memory however slowly the stream is read.
 *
 * What cannot be written at all (a closed pipe, a full disk) is thrown away, and said once.
 */
export class Writer {
  readonly #target: Target;
  readonly #report: WriterReport;
  readonly #maxBytes: number;
  #waiting = EMPTY;
  #waitingBytes = 0;
  /** How much of that was offered. */
  #offeredBytes = 0;
  #spare = EMPTY;
  #writing: Promise<void> | null = null;
  /** Resolves when what waits is being written, so that more may wait. */
  #room = Promise.withResolvers<void>();
  #isBroken = false;
  #lost = 0;

  /** Makes one for a stream that nobody else writes to. */
  constructor(target: Target, report: WriterReport, maxBytes: number = MAX_WAITING_BYTES) {
    this.#target = target;
    this.#report = report;
    this.#maxBytes = maxBytes;
  }

  /** Calls back when there is room, at once where there is: only then may something be added. */
  async whenRoom(callback: () => void): Promise<void> {
    while (this.#takenBytes >= this.#maxBytes) await this.#room.promise;
    callback();
  }

  /** Takes bytes at once, or throws them away where too many that were offered wait; what else waits is in nobody's way. */
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

  /** Takes bytes at once, which are copied, however much waits. */
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

  /** How much waits besides what was offered. */
  get #takenBytes(): number {
    return this.#waitingBytes - this.#offeredBytes;
  }

  #reportLost(): void {
    const lost = this.#lost;
    this.#lost = 0;
    this.#report.lost(lost);
  }

  /** Writes some bytes, when the stream takes any: another program may have made it non-blocking, which is no fault. */
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
      [this.#waiting, this.#spare] = [this.#spare, this.#waiting];
      this.#waitingBytes = 0;
      this.#offeredBytes = 0;
      this.#room.resolve();
      this.#room = Promise.withResolvers();
      if (this.#lost > 0) this.#reportLost();
      try {
        for (let written = 0; written < bytes.length;) written += await this.#write(bytes.subarray(written));
        this.#isBroken = false;
      } catch (error) {
        // The stream is closed, or the disk is full: what is supervised goes on.
        if (!this.#isBroken) this.#report.fault(error);
        this.#isBroken = true;
      }
      // After a flood; within one, fresh buffers would pile up faster than they are collected.
      if (bytes.length * MUCH_LARGER < this.#spare.length) this.#spare = EMPTY;
    }
    this.#writing = null;
  }
}
