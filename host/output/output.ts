import { LineSplitter, type OnLine, shownName, visible, visibleBytes } from "@ncolony/core";
import { denoClock } from "../clock.ts";
import { faultOf } from "../deno_errors.ts";
import type { ChildOutput, Log, OnBytes } from "../types.ts";
import { hesitant } from "./hesitant.ts";
import { createLog, jsonLine } from "./log.ts";
import type { LogFormat, LogLevel } from "./log_options.ts";
import { type LogTarget, openLog } from "./log_target.ts";
import { Unended } from "./unended.ts";
import { type Target, Writer } from "./writer.ts";

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** How much of a child's output is formatted at a time. */
const SLICE_BYTES = 16_384;

/** More than the longest piece of a line, with its prefix. */
const PAGE_BYTES = 65_536;

/** The same for a terminal, where each byte of a piece may become an escape. */
const TERMINAL_PAGE_BYTES = 131_072;

/** What `--log-level`, `--log-format` and `--log-file` set. */
export interface OutputOptions {
  /** The least level of events that are told. */
  readonly level: LogLevel;
  /** The form of every line. */
  readonly format: LogFormat;
  /** A file that takes everything in place of stdout and stderr. */
  readonly file?: string;
  /** Whether a terminal gets the control characters of children, in text; files and pipes always do. @default {false} */
  readonly raw?: boolean;
}

/**
 * Everything that a program writes: its own events, and the lines of its children.
 *
 * Children's stdout goes to stdout, their stderr and the events to stderr; or all of it, in order, to one file. A child
 * that writes faster than the output is read waits; an event that finds too much waiting is thrown away and counted.
 *
 * In text, files and pipes get the bytes of children as they are. On a terminal their control characters are escaped: a
 * child could otherwise clear the screen, or imitate the lines of another one.
 */
export class Output {
  /** Where events are told. */
  readonly log: Log;
  readonly #format: LogFormat;
  readonly #out: Writer;
  readonly #err: Writer;
  readonly #pages: ReadonlyMap<Writer, Page>;
  /** The children whose output has not ended. */
  readonly #open = new Set<Promise<void>>();

  /** Makes one; nobody else may write to the streams, which may not block. @throws {Error} Where the file cannot be opened. */
  constructor(
    { level, format, file, raw = false }: OutputOptions,
    isNonBlocking: (fd: 1 | 2) => boolean = () => false,
  ) {
    const stdout = isNonBlocking(1) ? hesitant(Deno.stdout) : Deno.stdout;
    this.#format = format;
    const encoder = new TextEncoder();
    const logTo = (writer: Writer) => createLog(level, format, (line) => writer.offer(encoder.encode(line)));
    // What goes wrong with a stream is told on stderr; where that is stderr itself, nobody would read it.
    const open = (target: Target, name: string, report: () => Log | null) => {
      return new Writer(target, {
        fault: (error) => report()?.error(`cannot write to ${name}, what goes there is lost: ${faultOf(error)}`),
        lost: (count) => this.log.warn(`${count} lines of this log were lost, because it was not read fast enough`),
      });
    };
    const err = open(Deno.stderr, "stderr", () => null);
    const stderrLog = logTo(err);
    const target = file === undefined ? null : openLog(file);
    if (target === null) {
      this.#err = err;
      this.#out = open(stdout, "stdout", () => stderrLog);
    } else {
      this.#err = open(target, file!, () => stderrLog);
      this.#out = this.#err;
    }
    const pageOf = (writer: Writer, stream: LogTarget) =>
      [writer, new Page(writer, !raw && stream.isTerminal())] as const;
    this.#pages = new Map([pageOf(this.#out, target ?? Deno.stdout), pageOf(this.#err, target ?? Deno.stderr)]);
    this.log = logTo(this.#err);
  }

  /** Makes the writers of one child: each of its lines becomes `[name] line`, or a JSON object. */
  forChild(name: string): ChildOutput {
    const stdout = this.#stream(name, "stdout", this.#out);
    const stderr = this.#stream(name, "stderr", this.#err);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#open.add(promise);
    return {
      stdout: stdout.push,
      stderr: stderr.push,
      end: () => {
        stdout.end();
        stderr.end();
        this.#open.delete(promise);
        resolve();
      },
    };
  }

  /** Resolves when the output of all children has ended and all was written, or after `deadlineMs`. */
  async flush(deadlineMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = denoClock.after(deadlineMs, resolve);
    const written = Promise.all(this.#open).then(() => Promise.all([this.#out.flush(), this.#err.flush()]));
    await Promise.race([written, promise]);
    cancel();
  }

  #stream(name: string, stream: string, writer: Writer): { push: OnBytes; end: () => void } {
    const lines = this.#format === "json" ? jsonLines(name, stream, writer) : textLines(name, this.#pages.get(writer)!);
    const splitter = new LineSplitter(lines.add);
    const unended = new Unended(splitter, denoClock, () => {
      writer.whenRoom(() => {
        splitter.flush();
        lines.flush();
      });
    });
    return {
      push: async (bytes) => {
        // A slice at a time, for each of its bytes may be a newline, and so become a line with a prefix.
        for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
          await writer.whenRoom(() => {
            splitter.push(bytes.subarray(start, start + SLICE_BYTES));
            lines.flush();
          });
        }
        unended.watch();
      },
      end: () => {
        unended.end();
        splitter.end();
        lines.flush();
      },
    };
  }
}

/** Formats lines, and passes them on when it is full or told to. */
interface Lines {
  readonly add: OnLine;
  readonly flush: () => void;
}

/** `[name] line`, with escapes on a terminal; `[name+] rest` for the pieces of a long line after the first. */
function textLines(name: string, page: Page): Lines {
  const encoder = new TextEncoder();
  const shown = visible(shownName(name));
  const prefix = encoder.encode(`[${shown}] `);
  const continued = encoder.encode(`[${shown}+] `);
  const add: OnLine = (bytes, start, end, first) => page.add(first ? prefix : continued, bytes.subarray(start, end));
  const addVisible: OnLine = (bytes, start, end, first, last) => {
    // Right before the newline a carriage return has no effect, so it is dropped. Anywhere else the text after it would
    // overwrite the name, so it is escaped, and a progress bar becomes one line.
    const isCrlf = last && end > start && bytes[end - 1] === CARRIAGE_RETURN;
    page.add(first ? prefix : continued, visibleBytes(bytes.subarray(start, isCrlf ? end - 1 : end)));
  };
  return { add: page.isTerminal ? addVisible : add, flush: () => page.flush() };
}

/** Where lines are put together for a writer. All children share it, for no line stays here: memory for each would pile up. */
class Page {
  /** Whether the lines of children must be escaped. */
  readonly isTerminal: boolean;
  readonly #writer: Writer;
  readonly #bytes: Uint8Array;
  #filled = 0;

  constructor(writer: Writer, isTerminal: boolean) {
    this.isTerminal = isTerminal;
    this.#writer = writer;
    this.#bytes = new Uint8Array(isTerminal ? TERMINAL_PAGE_BYTES : PAGE_BYTES);
  }

  /** Takes a line, of which the newline is still to come. */
  add(prefix: Uint8Array, line: Uint8Array): void {
    if (this.#filled + prefix.length + line.length >= this.#bytes.length) this.flush();
    this.#bytes.set(prefix, this.#filled);
    this.#bytes.set(line, this.#filled + prefix.length);
    this.#filled += prefix.length + line.length;
    this.#bytes[this.#filled++] = NEWLINE;
  }

  /** Passes on what was put together. */
  flush(): void {
    this.#writer.add(this.#bytes.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

function jsonLines(name: string, stream: string, writer: Writer): Lines {
  // A byte order mark stays in the line, wherever it is.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const encoder = new TextEncoder();
  let out = "";
  return {
    add: (bytes, start, end, _first, last) => {
      out += jsonLine(name, stream, decoder.decode(bytes.subarray(start, end)), new Date(), !last);
    },
    flush: () => {
      writer.add(encoder.encode(out));
      out = "";
    },
  };
}
