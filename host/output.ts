import { LineSplitter } from "@ncolony/core";
import { denoClock } from "./clock.ts";
import { faultOf } from "./fault.ts";
import { createLog, jsonLine } from "./log.ts";
import type { LogFormat, LogLevel } from "./log_options.ts";
import { Sink, type Target } from "./sink.ts";
import type { ChildOutput, Log, OutputSink } from "./types.ts";

const NEWLINE = 0x0a;

/** How much of a child's output is formatted at a time. */
const SLICE_BYTES = 16_384;

/** What `--log-level`, `--log-format` and `--log-file` set. */
export interface OutputOptions {
  /** The least level of events that are told. */
  readonly level: LogLevel;
  /** The form of every line. */
  readonly format: LogFormat;
  /** A file that takes everything in place of stdout and stderr. */
  readonly file?: string;
}

/**
 * Everything that a program writes: its own events, and the lines of its children.
 *
 * Children's stdout goes to stdout, their stderr and the events to stderr; or all of it, in order, to one file. A child
 * that writes faster than the output is read waits; an event that finds too much waiting is thrown away and counted.
 */
export class Output {
  /** Where events are told. */
  readonly log: Log;
  readonly #format: LogFormat;
  readonly #out: Sink;
  readonly #err: Sink;
  /** The children whose output has not ended. */
  readonly #open = new Set<Promise<void>>();

  /** Makes one; nobody else may write to the streams. @throws {Error} Where the file cannot be opened. */
  constructor({ level, format, file }: OutputOptions) {
    this.#format = format;
    const encoder = new TextEncoder();
    const tell = (sink: Sink) => createLog(level, format, (line) => sink.offer(encoder.encode(line)));
    // What goes wrong with a stream is told on stderr; where that is stderr itself, nobody would read it.
    const open = (target: Target, name: string, report: () => Log | null) => {
      return new Sink(target, {
        fault: (error) => report()?.error(`cannot write to ${name}, what goes there is lost: ${faultOf(error)}`),
        lost: (count) => this.log.warn(`${count} lines of this log were lost, because it was not read fast enough`),
      });
    };
    const err = open(Deno.stderr, "stderr", () => null);
    const stderrLog = tell(err);
    if (file === undefined) {
      this.#err = err;
      this.#out = open(Deno.stdout, "stdout", () => stderrLog);
    } else {
      this.#err = open(Deno.openSync(file, { append: true, create: true }), file, () => stderrLog);
      this.#out = this.#err;
    }
    this.log = tell(this.#err);
  }

  /** Makes the sinks of one child: each of its lines becomes `[name] line`, or a JSON object. */
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

  #stream(name: string, stream: string, sink: Sink): { push: OutputSink; end: () => void } {
    const lines = this.#format === "json" ? jsonLines(name, stream) : textLines(name);
    const splitter = new LineSplitter(lines.add);
    return {
      push: async (bytes) => {
        // A slice at a time, for each of its bytes may be a newline, and so become a line with a prefix.
        for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
          splitter.push(bytes.subarray(start, start + SLICE_BYTES));
          await sink.write(lines.take());
        }
      },
      end: () => {
        splitter.end();
        sink.write(lines.take());
      },
    };
  }
}

/** Collects formatted lines until they are taken. */
interface Lines {
  readonly add: (bytes: Uint8Array, start: number, end: number, first: boolean, last: boolean) => void;
  readonly take: () => Uint8Array;
}

/** `[name] line`, byte for byte; `[name+] rest` for the pieces of a long line after the first. */
function textLines(name: string): Lines {
  const encoder = new TextEncoder();
  const prefix = encoder.encode(`[${name}] `);
  const continued = encoder.encode(`[${name}+] `);
  let out = new Uint8Array(0);
  let length = 0;
  return {
    add: (bytes, start, end, first) => {
      const mark = first ? prefix : continued;
      const needed = length + mark.length + end - start + 1;
      if (needed > out.length) {
        const larger = new Uint8Array(Math.max(needed, 2 * out.length));
        larger.set(out.subarray(0, length));
        out = larger;
      }
      out.set(mark, length);
      out.set(bytes.subarray(start, end), length + mark.length);
      out[needed - 1] = NEWLINE;
      length = needed;
    },
    take: () => {
      const taken = out.subarray(0, length);
      // A silent child should hold no memory.
      out = new Uint8Array(0);
      length = 0;
      return taken;
    },
  };
}

function jsonLines(name: string, stream: string): Lines {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let out = "";
  return {
    add: (bytes, start, end, _first, last) => {
      out += jsonLine(name, stream, decoder.decode(bytes.subarray(start, end)), new Date(), !last);
    },
    take: () => {
      const taken = encoder.encode(out);
      out = "";
      return taken;
    },
  };
}
