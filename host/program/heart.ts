import { type Beat, parseBeat, shownText, SpecError, visible } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { MAX_TIMER_MS } from "../clock.ts";
import { faultOf } from "../deno_errors.ts";
import { touchByWriting } from "../files/open.ts";
import type { Clock, Environ } from "../types.ts";
import { denoEnviron, EnvironError } from "./environ.ts";

/** How many times a heart beats per period. It must beat at least once. */
const BEATS_PER_PERIOD = 3;

/** The least time between two beats, in milliseconds. */
const MIN_INTERVAL_MS = 10;

/** Options of {@linkcode startHeart}. */
export interface HeartOptions {
  /** Looks up `NCOLONY_CONFIG` and `NCOLONY_NAME`. @default {Deno.env.get} */
  readonly environ?: Environ;
  /** Called with a fault, once until it changes. @default {a line on stderr} */
  readonly onFault?: (fault: string) => void;
}

/** The heart of a process: each beat touches a file (Python NColony's `ncolony.client.heart.Heart`). */
export class Heart implements Disposable {
  /** The file that is touched, or a directory that contains it under the name of the process. */
  readonly status: string;
  readonly #name: string;
  readonly #onFault: (fault: string) => void;
  #fault: string | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  /**
   * Creates a heart that does not beat by itself yet.
   *
   * @param status The file, or the directory.
   * @param name The name of the process.
   * @param onFault Called with a fault, once until it changes.
   */
  constructor(status: string, name: string, onFault: (fault: string) => void = warn) {
    this.status = status;
    this.#name = name;
    this.#onFault = onFault;
  }

  /** Touches the file. A failure is reported to `onFault`, not thrown. */
  beat(): void {
    const fault = touch(this.status, this.#name);
    if (fault !== null && fault !== this.#fault) {
      this.#onFault(`cannot touch heartbeat file ${JSON.stringify(shownText(this.status))}: ${fault}`);
    }
    this.#fault = fault;
  }

  /** Beats now, and then every `intervalMs` milliseconds. Does not keep the program running. */
  start(intervalMs: number): void {
    this.stop();
    this.beat();
    this.#timer = setInterval(() => this.beat(), Math.min(Math.max(intervalMs, MIN_INTERVAL_MS), MAX_TIMER_MS));
    Deno.unrefTimer(this.#timer);
  }

  /** Stops the timer. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Stops the timer. */
  [Symbol.dispose](): void {
    this.stop();
  }
}

/**
 * Starts the heart of a program that runs under the monitor. The heart touches the file that `ncolony.beatcheck` in the
 * program's config names, three times per period. If the config does not ask for a heart, or no monitor runs the
 * program, nothing happens.
 *
 * The heart beats from a timer, so it stops if the program's event loop hangs. It does not keep the program running. A
 * program that can hang in other ways calls {@linkcode maybeBeat} instead, where it makes progress.
 *
 * Needs `--allow-env=NCOLONY_CONFIG,NCOLONY_NAME`, and `--allow-read` and `--allow-write` for the file.
 *
 * @returns The heart, to be disposed of. Null if there is none.
 *
 * @example
 * ```ts
 * import { startHeart } from "@ncolony/host";
 *
 * using heart = startHeart();
 * if (heart !== null) throw new Error("no monitor runs this example");
 * ```
 */
export function startHeart(options: HeartOptions = {}): Heart | null {
  const found = findHeart(options);
  found?.heart.start(found.beat.periodMs / BEATS_PER_PERIOD);
  return found?.heart ?? null;
}

/** Something that a loop must call again and again, to show that it does not hang. */
export interface Watchdog {
  /** When the loop must call `beat` again, in the clock's milliseconds. */
  readonly due: number;
  /** Beats if it is due. */
  beat(): void;
}

/** The watchdog of a loop without a heart. */
export const NO_HEART: Watchdog = { due: Infinity, beat: () => {} };

/** The heart of a program that beats from its main loop, so that it stops when the loop does. */
export class LoopHeart implements Watchdog {
  readonly #heart: Heart | null;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #due: number;

  /** Creates the heart that this program's config asks for. If it asks for none, the heart never beats. */
  constructor(clock: Clock, options: HeartOptions = {}) {
    const found = findHeart(options);
    this.#heart = found?.heart ?? null;
    this.#intervalMs = Math.max((found?.beat.periodMs ?? 0) / BEATS_PER_PERIOD, MIN_INTERVAL_MS);
    this.#clock = clock;
    this.#due = found === null ? Infinity : clock.now();
  }

  /** When the loop must call {@linkcode LoopHeart.beat} again, in the clock's milliseconds. */
  get due(): number {
    return this.#due;
  }

  /** Beats if it is due. */
  beat(): void {
    const now = this.#clock.now();
    if (now < this.#due) return;
    this.#due = now + this.#intervalMs;
    this.#heart?.beat();
  }
}

/** Beats once if this program has a heart. Call it where the program makes progress, three or four times per period. */
export function maybeBeat(options: HeartOptions = {}): void {
  findHeart(options)?.heart.beat();
}

function findHeart({ environ = denoEnviron, onFault = warn }: HeartOptions): { heart: Heart; beat: Beat } | null {
  try {
    const source = environ("NCOLONY_CONFIG");
    if (source === undefined) return null;
    const name = environ("NCOLONY_NAME") ?? "";
    const beat = parseBeat(name, source);
    return beat && { heart: new Heart(beat.status, name, onFault), beat };
  } catch (error) {
    if (error instanceof SpecError || error instanceof EnvironError) onFault(`no heartbeat: ${error.message}`);
    else if (error instanceof Deno.errors.NotCapable) {
      onFault("no heartbeat: needs --allow-env=NCOLONY_CONFIG,NCOLONY_NAME");
    } else throw error;
    return null;
  }
}

/** Returns the file that a heart touches: `status` itself, or the file `name` in it if it is a directory. */
export function statusFile(status: string, name: string): string {
  try {
    return Deno.statSync(status).isDirectory ? join(status, name) : status;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return status;
    throw error;
  }
}

/** Returns when a heart last beat, in milliseconds since 1970, or null. @throws {Error} If that cannot be seen. */
export function lastBeat(status: string, name: string): number | null {
  try {
    const at = Deno.statSync(statusFile(status, name)).mtime?.getTime() ?? null;
    if (at !== null && Number.isNaN(at)) throw new Error("its time is out of range");
    return at;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

/** Sets the time of a status file, or creates it. Returns why that failed, or null. */
function touch(status: string, name: string): string | null {
  const now = new Date();
  try {
    // Checked each time, because the directory may be created after the program started.
    const path = statusFile(status, name);
    try {
      // An existing file is not opened, because that would wait at a FIFO.
      Deno.utimeSync(path, now, now);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) Deno.openSync(path, { write: true, createNew: true }).close();
      else if (error instanceof Deno.errors.PermissionDenied) touchByWriting(path);
      else throw error;
    }
    return null;
  } catch (error) {
    return faultOf(error);
  }
}

function warn(fault: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(`heart: ${visible(fault)}\n`));
  } catch {
    // No process reads stderr any more.
  }
}
