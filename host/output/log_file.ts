import type { LogLimits } from "@ncolony/core";
import { faultOf } from "../deno_errors.ts";
import { lstat } from "../files/lstat.ts";
import type { OwnDirectory } from "../files/own_directory.ts";
import { type AppendFile, openAppend } from "../files/open.ts";
import type { Clock } from "../types.ts";
import type { Target } from "./writer.ts";

const NEWLINE = 0x0a;

/** So often it is looked whether the file that is open is the one at the path, in milliseconds. */
const CHECK_MS = 1000;

/** What is wrong with this file alone, and lasts: waiting mends nothing, as it does where a disk is full or a directory away. */
const LASTING = new RegExp(
  "^(?:ENAMETOOLONG|file name too long|EISDIR|is a directory|ENOTEMPTY|directory not empty|EFBIG|file too large|" +
    "permission denied|is not a regular file|is a symbolic link|belongs to |has \\d+ names)",
);

/** How long it waits before it tries again to write what could not be written. */
const RETRY_MS = 1000;

/** Who may read a log: whoever runs the monitor, and their group. */
const MODE = 0o640;

/** What a log file tells of itself. */
export interface LogFileReport {
  /** It cannot be written or rotated, after it could; where that passes, what comes waits. */
  fault(action: "write to" | "rotate", reason: string, isPassing: boolean): void;
  /** It can be written again. */
  recovered(): void;
  /** Takes what cannot be written for good, in its place. */
  instead(bytes: Uint8Array): void | Promise<void>;
}

/**
 * A file that takes lines, and that is renamed to `FILE.1` before it would become too large, as `FILE.1` was to `FILE.2`,
 * and so on. A line is in one file, unless it alone is longer than a file may be.
 *
 * What cannot be written, to a full disk for instance, waits until it can; so does what comes when it cannot be renamed.
 */
export class LogFile implements Target {
  readonly #path: string;
  /** How large it may become, and how many old ones stay. */
  limits: LogLimits;
  readonly #directory: Pick<OwnDirectory, "ensure" | "forget">;
  readonly #clock: Clock;
  readonly #report: LogFileReport;
  #file: AppendFile | null = null;
  #size = 0;
  #isMidLine = false;
  #hasFault = false;
  /** When it is looked next whether the file is the one at the path. */
  #checkAt = -Infinity;
  /** Before then, what comes goes elsewhere. */
  #insteadUntil = -Infinity;
  #isAbandoned = false;

  /** Makes one that is opened at its first write; `directory` is what it lies in. */
  constructor(
    path: string,
    limits: LogLimits,
    directory: Pick<OwnDirectory, "ensure" | "forget">,
    clock: Clock,
    report: LogFileReport,
  ) {
    this.#path = path;
    this.limits = limits;
    this.#directory = directory;
    this.#clock = clock;
    this.#report = report;
  }

  /** Writes some of the bytes; says how many. Never rejects. */
  async write(bytes: Uint8Array): Promise<number> {
    while (!this.#isAbandoned) {
      if (this.#clock.now() < this.#insteadUntil) {
        await this.#report.instead(bytes);
        return bytes.length;
      }
      let action: "write to" | "rotate" = "write to";
      try {
        this.#check();
        const file = this.#file ??= this.#open();
        const fitting = this.#fitting(bytes);
        if (fitting === 0) {
          action = "rotate";
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
        this.#directory.forget();
        const reason = faultOf(error);
        const isPassing = !LASTING.test(reason);
        if (!this.#hasFault) this.#report.fault(action, reason, isPassing);
        this.#hasFault = true;
        if (!isPassing) {
          this.#insteadUntil = this.#clock.now() + RETRY_MS;
          continue;
        }
        await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve));
      }
    }
    return bytes.length;
  }

  /** Opens it before anything is written; what is in the way the first write says. */
  open(): void {
    try {
      this.#file ??= this.#open();
    } catch {
      this.#directory.forget();
    }
  }

  /** Closes the file; the next write opens it again. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** Has it looked at the next write whether the file is the one at the path. */
  check(): void {
    this.#checkAt = -Infinity;
  }

  /** Throws away what still waits, and what comes. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  /** Another program may have removed, renamed or emptied the file: then that is what it is. */
  #check(): void {
    const now = this.#clock.now();
    if (this.#file === null || now < this.#checkAt) return;
    this.#checkAt = now + CHECK_MS;
    if (!this.#file.isAt(this.#path)) this.close();
    else this.#size = lstat(this.#path)?.size ?? 0;
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

  #open(): AppendFile {
    this.#directory.ensure();
    const file = openAppend(this.#path, MODE);
    this.#size = file.size;
    this.#isMidLine = false;
    this.#checkAt = this.#clock.now() + CHECK_MS;
    return file;
  }

  #rotate(): void {
    this.#directory.ensure();
    const { keep } = this.limits;
    // Only those are renamed that are in the way: this may fail, and be tried again and again.
    let free = 1;
    while (free < keep && lstat(`${this.#path}.${free}`) !== null) free++;
    for (let number = free; number > 1; number--) rename(`${this.#path}.${number - 1}`, `${this.#path}.${number}`);
    if (keep > 0) rename(this.#path, `${this.#path}.1`);
    else Deno.removeSync(this.#path);
    this.close();
  }
}

function rename(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
