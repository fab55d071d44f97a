import type { LogLimits } from "@ncolony/core";
import { faultOf } from "../deno_errors.ts";
import { lstat } from "../files/lstat.ts";
import type { OwnDirectory } from "../files/own_directory.ts";
import { type AppendFile, openAppend, openFile } from "../files/open.ts";
import { isGranted } from "../permission.ts";
import type { Clock } from "../types.ts";
import type { Target } from "./writer.ts";

const NEWLINE = 0x0a;

/** How often to check whether the open file is still the one at the path, in milliseconds. */
const CHECK_MS = 1000;

/** Faults of this file alone that last. Waiting does not help, unlike with a full disk or a missing directory. */
const LASTING = new RegExp(
  "^(?:ENAMETOOLONG|file name too long|EISDIR|is a directory|ENOTEMPTY|directory not empty|EFBIG|file too large|" +
    "permission denied|not a regular file|is a symbolic link|owned by |has \\d+ hard links)",
);

/** How long to wait before a failed write is tried again, in milliseconds. */
const RETRY_MS = 1000;

/** The user who runs the monitor, and its group, may read a log. */
const MODE = 0o640;

/** What a log file reports. */
export interface LogFileReport {
  /** The file can no longer be written or rotated. If the fault may pass, output waits. */
  fault(action: "write to" | "rotate", reason: string, isPassing: boolean): void;
  /** The file can be written again. */
  recovered(): void;
  /** Takes output that cannot be written because of a lasting fault. */
  instead(bytes: Uint8Array): void | Promise<void>;
}

/**
 * A file of lines. Before it grows too large, it is renamed to `FILE.1`, the former `FILE.1` to `FILE.2`, and so on. A
 * line is in one file, unless the line alone is longer than a file may be.
 *
 * If the file cannot be written or renamed, output waits until it can, such as on a full disk. If the fault lasts,
 * output goes to {@linkcode LogFileReport.instead}.
 */
export class LogFile implements Target {
  readonly #path: string;
  /** How large the file may grow, and how many old files are kept. */
  limits: Pick<LogLimits, "maxBytes" | "keep">;
  readonly #directory: Pick<OwnDirectory, "ensure" | "forget">;
  readonly #clock: Clock;
  readonly #report: LogFileReport;
  #file: AppendFile | null = null;
  #isMidLine = false;
  /** Whether the last line of an earlier monitor, which was killed, was ended. */
  #isEnded = false;
  #hasFault = false;
  /** When to check next whether the open file is the one at the path. */
  #checkAt = -Infinity;
  /** Until then, output goes to {@linkcode LogFileReport.instead}. */
  #insteadUntil = -Infinity;
  #isAbandoned = false;

  /** Creates a log file, which is opened at its first write. `directory` is its directory. */
  constructor(
    path: string,
    limits: Pick<LogLimits, "maxBytes" | "keep">,
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

  /** Writes some of the bytes. Returns how many. Never rejects. */
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
        if (!this.#isEnded) {
          await endLastLine(this.#path, file);
          this.#isEnded = true;
        }
        const fitting = this.#fitting(file, bytes);
        if (fitting === 0) {
          action = "rotate";
          this.#rotate();
          continue;
        }
        const written = await file.write(bytes.subarray(0, fitting));
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

  /** Opens the file before the first write. If this fails, the first write reports why. */
  open(): void {
    try {
      this.#file ??= this.#open();
    } catch {
      this.#directory.forget();
    }
  }

  /** Closes the file. The next write opens it again. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** Makes the next write check whether the open file is the one at the path. */
  check(): void {
    this.#checkAt = -Infinity;
  }

  /** Discards the output that still waits and all that comes. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  /** Notices if another program removed, renamed or truncated the file. */
  #check(): void {
    const now = this.#clock.now();
    if (this.#file === null || now < this.#checkAt) return;
    this.#checkAt = now + CHECK_MS;
    if (!this.#file.isAt(this.#path)) this.close();
    else this.#file.updateSize();
  }

  /** Returns how many of the bytes fit into the file. None if it is full. */
  #fitting({ size }: AppendFile, bytes: Uint8Array): number {
    const { maxBytes } = this.limits;
    const room = maxBytes - size;
    if (bytes.length <= room) return bytes.length;
    const lines = room > 0 ? bytes.lastIndexOf(NEWLINE, room - 1) + 1 : 0;
    // A line ends in the file where it began, and an empty file takes a line of any length, but no line goes on
    // forever.
    const mayGoOn = size === 0 || this.#isMidLine && size < 2 * maxBytes;
    return lines > 0 || !mayGoOn ? lines : bytes.indexOf(NEWLINE) + 1 || bytes.length;
  }

  #open(): AppendFile {
    this.#directory.ensure();
    const file = openAppend(this.#path, MODE);
    this.#isMidLine = false;
    this.#checkAt = this.#clock.now() + CHECK_MS;
    return file;
  }

  #rotate(): void {
    this.#directory.ensure();
    const { keep } = this.limits;
    // Only files that are in the way are renamed, because this may fail and be tried again many times.
    let free = 1;
    while (free < keep && lstat(`${this.#path}.${free}`) !== null) free++;
    for (let number = free; number > 1; number--) rename(`${this.#path}.${number - 1}`, `${this.#path}.${number}`);
    if (keep > 0) rename(this.#path, `${this.#path}.1`);
    else Deno.removeSync(this.#path);
    this.close();
  }
}

/** Ends the last line of a file if it has not ended. If the file cannot be read, that cannot be seen. */
async function endLastLine(path: string, file: AppendFile): Promise<void> {
  if (file.size === 0 || !isGranted({ name: "read", path })) return;
  using written = openFile(path);
  const last = new Uint8Array(1);
  written.read(last, 0, 1, written.now().size - 1);
  if (last[0] !== NEWLINE) await file.write(Uint8Array.of(NEWLINE));
}

function rename(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
