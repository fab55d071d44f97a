import { type Beat, parseBeat, shownText, SpecError, visible } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { MAX_TIMER_MS } from "../clock.ts";
import { faultOf } from "../deno_errors.ts";
import { touchByWriting } from "../files/open.ts";
import type { Clock, Environ } from "../types.ts";
import { denoEnviron, EnvironError } from "./environ.ts";

/** How often a heart beats in the period in which it must beat once. */
const BEATS_PER_PERIOD = 3;

/** No heart beats more often than this, in milliseconds. */
const MIN_INTERVAL_MS = 10;

/** What {@linkcode startHeart} may be told. */
export interface HeartOptions {
  /** Where `NCOLONY_CONFIG` and `NCOLONY_NAME` are looked up. @default {Deno.env.get} */
  readonly environ?: Environ;
  /** Takes what goes wrong, once as long as it stays the same. @default {a line on stderr} */
  readonly onFault?: (fault: string) => void;
}

/** The heart of a process: each beat touches a file (Python NColony's `ncolony.client.heart.Heart`). */
export class Heart implements Disposable {
  /** The file that is touched, or a directory in which one of the process's name is. */
  readonly status: string;
  readonly #name: string;
  readonly #onFault: (fault: string) => void;
  #fault: string | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  /**
   * Makes one that does not beat by itself.
   *
   * @param status The file, or the directory.
   * @param name The name of the process.
   * @param onFault Takes what goes wrong, once as long as it stays the same.
   */
  constructor(status: string, name: string, onFault: (fault: string) => void = warn) {
    this.status = status;
    this.#name = name;
    this.#onFault = onFault;
  }

  /** Touches the file. What keeps it from that is told, and thrown by nobody. */
  beat(): void {
    const fault = touch(this.status, this.#name);
    if (fault !== null && fault !== this.#fault) {
      this.#onFault(`cannot touch ${JSON.stringify(shownText(this.status))}: ${fault}`);
    }
    this.#fault = fault;
  }

  /** Beats now, and then every so often, without keeping the program running. */
  start(intervalMs: number): void {
    this.stop();
    this.beat();
    this.#timer = setInterval(() => this.beat(), Math.min(Math.max(intervalMs, MIN_INTERVAL_MS), MAX_TIMER_MS));
    Deno.unrefTimer(this.#timer);
  }

  /** Beats no more by itself. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Beats no more by itself. */
  [Symbol.dispose](): void {
    this.stop();
  }
}

/**
 * Starts the heart of a program that runs under the monitor: it touches the file that `ncolony.beatcheck` of the program's
 * config names, three times a period. Where the config says nothing of a heart, or no monitor runs the program, nothing
 * beats.
 *
 * It beats from a timer, so it stops when the program's event loop hangs; it does not keep the program running. A program
 * that can hang otherwise calls {@linkcode maybeBeat} where it makes progress instead.
 *
 * It needs `--allow-env=NCOLONY_CONFIG,NCOLONY_NAME`, and `--allow-read` and `--allow-write` for the file.
 *
 * @returns The heart, to be disposed of; null where there is none.
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

/** What a loop must tell, again and again, that it goes on. */
export interface Watchdog {
  /** When it must be told again, in the clock's milliseconds. */
  readonly due: number;
  /** Beats, if it is time. */
  beat(): void;
}

/** The heart of a loop that has none. */
export const NO_HEART: Watchdog = { due: Infinity, beat: () => {} };

/** The heart of a program whose loop makes it beat, so that it stops when the loop does. */
export class LoopHeart implements Watchdog {
  readonly #heart: Heart | null;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #due: number;

  /** Makes the heart that this program's config asks for; where it asks for none, it never beats. */
  constructor(clock: Clock, options: HeartOptions = {}) {
    const found = findHeart(options);
    this.#heart = found?.heart ?? null;
    this.#intervalMs = Math.max((found?.beat.periodMs ?? 0) / BEATS_PER_PERIOD, MIN_INTERVAL_MS);
    this.#clock = clock;
    this.#due = found === null ? Infinity : clock.now();
  }

  /** When the loop must call it again, in the clock's milliseconds. */
  get due(): number {
    return this.#due;
  }

  /** Beats, if it is time. */
  beat(): void {
    const now = this.#clock.now();
    if (now < this.#due) return;
    this.#due = now + this.#intervalMs;
    this.#heart?.beat();
  }
}

/** Beats once, if this program has a heart: for programs that beat where they make progress, three to four times a period. */
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
    if (error instanceof SpecError || error instanceof EnvironError) onFault(`no heart beats: ${error.message}`);
    else if (error instanceof Deno.errors.NotCapable) {
      onFault("no heart beats: that needs --allow-env=NCOLONY_CONFIG,NCOLONY_NAME");
    } else throw error;
    return null;
  }
}

/** The file that the heart of a process touches: the status itself, or the file of its name in that directory. */
export function statusFile(status: string, name: string): string {
  try {
    return Deno.statSync(status).isDirectory ? join(status, name) : status;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return status;
    throw error;
  }
}

/** When a heart beat last, in milliseconds since 1970; null where it never did. @throws {Error} Where that cannot be seen. */
export function lastBeat(status: string, name: string): number | null {
  try {
    return Deno.statSync(statusFile(status, name)).mtime?.getTime() ?? null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

/** Sets the time of a status file, or makes it; says why where it can do neither. */
function touch(status: string, name: string): string | null {
  const now = new Date();
  try {
    // Looked at each time: the directory may be made after the program was started.
    const path = statusFile(status, name);
    try {
      // Not opened where it is there, for that would wait at a named pipe.
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
    // Nobody reads it.
  }
}
