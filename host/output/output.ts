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

/** How many bytes of a child's output are formatted at a time. */
const SLICE_BYTES = 16_384;

/** More than the longest piece of a line with its prefix, in bytes. */
const PAGE_BYTES = 65_536;

/** The same for a terminal, where each byte of a piece may become an escape. */
const TERMINAL_PAGE_BYTES = 131_072;

/** The values of `--log-level`, `--log-format` and `--log-file`. */
export interface OutputOptions {
  /** The least level of events that are logged. */
  readonly level: LogLevel;
  /** The format of every line. */
  readonly format: LogFormat;
  /** A file that takes all output instead of stdout and stderr. */
  readonly file?: string;
  /**
   * Whether a terminal gets the control characters of children, in text. Files and pipes always get them.
   *
   * @default {false}
   */
  readonly raw?: boolean;
}

/**
 * Everything that a program writes: its own events, and the lines of its children.
 *
 * The stdout of children goes to stdout; their stderr and the events go to stderr. Or everything goes to one file, in
 * order. A child that writes faster than the output is read has to wait. An event is discarded and counted if too many
 * events are waiting.
 *
 * In text format, files and pipes get the bytes of children unchanged. On a terminal, control characters are escaped.
 * Otherwise a child could clear the screen or imitate the lines of another child.
 */
export class Output {
  /** The log of events. */
  readonly log: Log;
  readonly #format: LogFormat;
  readonly #out: Writer;
  readonly #err: Writer;
  readonly #pages: ReadonlyMap<Writer, Page>;
  /** The children whose output has not ended. */
  readonly #open = new Set<Promise<void>>();

  /**
   * Creates an output. Nothing else may write to its streams, which may be non-blocking.
   *
   * @throws {Error} If the file cannot be opened.
   */
  constructor(
    { level, format, file, raw = false }: OutputOptions,
    isNonBlocking: (fd: 1 | 2) => boolean = () => false,
  ) {
    const stdout = isNonBlocking(1) ? hesitant(Deno.stdout) : Deno.stdout;
    this.#format = format;
    const encoder = new TextEncoder();
    const logTo = (writer: Writer) => createLog(level, format, (line) => writer.offer(encoder.encode(line)));
    // Faults of a stream are logged to stderr. Nobody would see a fault of stderr itself.
    const open = (target: Target, name: string, report: () => Log | null) => {
      return new Writer(target, {
        fault: (error) => report()?.error(`cannot write to ${name}: ${faultOf(error)}; its output is lost`),
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

  /** Creates the output of one child: each line becomes `[name] line`, or a JSON object. */
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

  /** Resolves when the output of all children has ended and everything was written, or after `deadlineMs`. */
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
        // Pushes slices, because each byte may be a newline and become a line with a prefix.
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

/** Formats lines, and passes them on when its buffer is full or on `flush`. */
interface Lines {
  readonly add: OnLine;
  readonly flush: () => void;
}

/** `[name] line`, with escapes on a terminal. Pieces of a long line after the first become `[name+] rest`. */
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

/**
 * A buffer where lines for a writer are joined. All children share it, because no line stays in it. A buffer per child
 * would add up.
 */
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

  /** Adds a line. The newline is appended here. */
  add(prefix: Uint8Array, line: Uint8Array): void {
    if (this.#filled + prefix.length + line.length >= this.#bytes.length) this.flush();
    this.#bytes.set(prefix, this.#filled);
    this.#bytes.set(line, this.#filled + prefix.length);
    this.#filled += prefix.length + line.length;
    this.#bytes[this.#filled++] = NEWLINE;
  }

  /** Passes on the joined lines. */
  flush(): void {
    this.#writer.add(this.#bytes.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

function jsonLines(name: string, stream: string, writer: Writer): Lines {
  // A byte order mark is kept, wherever it is in a line.
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
