import type { LogLimits } from "@ncolony/core";
import { dirname } from "@std/path/posix/dirname";
import { faultOf } from "./fault.ts";
import type { Target } from "./sink.ts";
import type { Clock } from "./types.ts";

const NEWLINE = 0x0a;

/** How long it waits before it tries again to write what could not be written. */
const RETRY_MS = 1000;

/** Who may read a log: whoever runs the monitor, and their group. */
const MODE = 0o640;

/** What a log file tells of itself. */
export interface LogFileReport {
  /** It cannot be written, after it could; what comes waits. */
  fault(reason: string): void;
  /** It can be written again, and nothing was lost. */
  recovered(): void;
  /** It is too large, but cannot be renamed, so it goes on growing for a while. */
  notRotated(reason: string): void;
}

/**
 * A file that takes lines, and that is renamed to `FILE.1` before it would become too large, as `FILE.1` was to `FILE.2`,
 * and so on. A line is in one file, unless it alone is longer than a file may be.
 *
 * What cannot be written, to a full disk for instance, waits until it can.
 */
export class LogFile implements Target {
  readonly #path: string;
  /** How large it may become, and how many old ones stay. */
  limits: LogLimits;
  readonly #clock: Clock;
  readonly #report: LogFileReport;
  #file: Deno.FsFile | null = null;
  #size = 0;
  #isMidLine = false;
  #hasFault = false;
  #isAbandoned = false;

  /** Makes one that is opened at its first write. */
  constructor(path: string, limits: LogLimits, clock: Clock, report: LogFileReport) {
    this.#path = path;
    this.limits = limits;
    this.#clock = clock;
    this.#report = report;
  }

  /** Writes some of the bytes; says how many. Never rejects. */
  async write(bytes: Uint8Array): Promise<number> {
    while (!this.#isAbandoned) {
      try {
        const file = this.#file ??= this.#open();
        const fitting = this.#fitting(bytes);
        if (fitting === 0) {
          this.#rotate();
          continue;
        }
        const written = await file.write(bytes.subarray(0, fitting));
        this.#size += written;
        this.#isMidLine = bytes[written - 1] !== NEWLINE;
        if (this.#hasFault) this.#report.recovered();
        this.#hasFault = false;
        return written;
      } catch (error) {
        this.close();
        if (!this.#hasFault) this.#report.fault(faultOf(error));
        this.#hasFault = true;
        await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve));
      }
    }
    return bytes.length;
  }

  /** Closes the file; the next write opens it again. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** Throws away what still waits, and what comes. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  /** How many of the bytes go into the file as it is; none where it is full. */
  #fitting(bytes: Uint8Array): number {
    const { maxBytes } = this.limits;
    const room = maxBytes - this.#size;
    if (bytes.length <= room) return bytes.length;
    const lines = room > 0 ? bytes.lastIndexOf(NEWLINE, room - 1) + 1 : 0;
    // A line that has begun ends where it began, and an empty file takes one of any length, but nothing is endless.
    const mayGoOn = this.#size === 0 || this.#isMidLine && this.#size < 2 * maxBytes;
    return lines > 0 || !mayGoOn ? lines : bytes.indexOf(NEWLINE) + 1 || bytes.length;
  }

  #open(): Deno.FsFile {
    Deno.mkdirSync(dirname(this.#path), { recursive: true });
    // What is no file may be a link to somebody else's, or a pipe that nobody reads.
    if (!(lstat(this.#path)?.isFile ?? true)) throw new Error("is not a regular file");
    const file = Deno.openSync(this.#path, { append: true, create: true, mode: MODE });
    this.#size = file.statSync().size;
    this.#isMidLine = false;
    return file;
  }

  #rotate(): void {
    const { keep } = this.limits;
    try {
      for (let number = keep; number > 1; number--) rename(`${this.#path}.${number - 1}`, `${this.#path}.${number}`);
      if (keep > 0) rename(this.#path, `${this.#path}.1`);
      else Deno.removeSync(this.#path);
      this.close();
    } catch (error) {
      this.#report.notRotated(faultOf(error));
      // It is tried again when as much has come once more.
      this.#size = 0;
      this.#isMidLine = false;
    }
  }
}

function lstat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function rename(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
