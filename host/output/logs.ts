import {
  formatStamp,
  type LogLimits,
  type LogStream,
  SharedPlace,
  shownText,
  StampedLines,
  WholeLines,
} from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { freshPath, probe } from "../files/fresh.ts";
import { OwnDirectory } from "../files/own_directory.ts";
import type { ChildLogs, ChildOutput, Clock, Log, OnBytes, TrustOptions } from "../types.ts";
import { LogFile } from "./log_file.ts";
import { RunMarks } from "./run_marks.ts";
import { Unended } from "./unended.ts";
import { Writer } from "./writer.ts";

/** How much of one child's output may wait to be written, in bytes. */
const MAX_WAITING_BYTES = 256 * 1024;

/** The log file of one process. */
interface Open {
  readonly file: LogFile;
  readonly writer: Writer;
  /** Shared by all streams that are written to the file. */
  readonly place: SharedPlace;
  /** The lines of the file, which may have stamps. */
  readonly stamped: StampedLines;
  /** Closes the file and ends its fallback. */
  readonly end: () => void;
  /** How many children still write to the file. A new child may start while the pipe of the last one is drained. */
  children: number;
}

/** A directory with one log file per process, `NAME.log`: the stdout and stderr of its children, line by line. */
export class Logs implements ChildLogs {
  readonly #directory: string;
  readonly #own: OwnDirectory;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Creates the output of a process whose file cannot be written because of a lasting fault. */
  readonly #fallback: (name: string) => ChildOutput;
  readonly #open = new Map<string, Open>();
  /** The marks of the last start of each process whose log has times. */
  readonly #marks = new Map<string, RunMarks>();

  /**
   * Creates the directory if it is missing.
   *
   * @throws {Error} If it is not writable, or if other users can write to it.
   */
  constructor(
    directory: string,
    clock: Clock,
    log: Log,
    fallback: (name: string) => ChildOutput,
    trust: TrustOptions = {},
  ) {
    this.#fallback = fallback;
    this.#own = new OwnDirectory(directory, trust, clock);
    probe(freshPath(directory));
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
  }

  /** Creates the output of one child, and opens its file if possible. */
  forChild(name: string, limits: LogLimits, start: number): ChildOutput {
    const open = this.#openFor(name, limits);
    open.file.open();
    open.children++;
    const marks = limits.hasTimes ? this.#newMarks(name, limits, start) : null;
    const [stdout, stderr] = [this.#stream(open, marks && "O"), this.#stream(open, marks && "E")];
    return {
      stdout: stdout.push,
      stderr: stderr.push,
      end: () => {
        stdout.end();
        stderr.end();
        marks?.drained();
        this.#forget(name);
        open.children--;
        open.writer.flush().then(() => this.#close(name, open));
      },
    };
  }

  /** Notes how the child of a process exited. */
  exited(name: string, how: string): void {
    this.#marks.get(name)?.exited(how);
    this.#forget(name);
  }

  /** Forgets the marks of a process whose end is marked. */
  #forget(name: string): void {
    if (this.#marks.get(name)?.isOver) this.#marks.delete(name);
  }

  /** Resolves when everything was written, or after `deadlineMs`. What is not written by then is lost. */
  async flush(deadlineMs: number): Promise<void> {
    for (const marks of [...this.#marks.values()]) marks.finish();
    const all = [...this.#open.values()];
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(deadlineMs, resolve);
    await Promise.race([Promise.all(all.map(({ writer }) => writer.flush())), promise]);
    cancel();
    for (const { file } of all) file.abandon();
  }

  #newMarks(name: string, limits: LogLimits, start: number): RunMarks {
    this.#marks.get(name)?.finish();
    const marks = new RunMarks(start, (text) => this.#mark(name, limits, text));
    this.#marks.set(name, marks);
    return marks;
  }

  /** Adds a line of the monitor's own to a log. */
  #mark(name: string, limits: LogLimits, text: string): void {
    const open = this.#openFor(name, limits);
    open.children++;
    const { push } = this.#stream(open, "-");
    push(new TextEncoder().encode(`${text}\n`));
    open.children--;
    open.writer.flush().then(() => this.#close(name, open));
  }

  /** Creates a stream that is written to a file. `stamp` names it in each line; null: lines have no times. */
  #stream({ writer, place, stamped }: Open, stamp: LogStream | null): { push: OnBytes; end: () => void } {
    const lines = new WholeLines(place);
    const add = (pieces: readonly Uint8Array[]) => {
      const time = this.#clock.wall();
      const bytes = stamp === null ? null : new TextEncoder().encode(formatStamp({ time, stream: stamp }));
      for (const piece of pieces) writer.add(stamped.push(piece, bytes));
    };
    const unended = new Unended(lines, this.#clock, () => {
      writer.whenRoom(() => add(lines.flush()));
    });
    return {
      push: async (bytes) => {
        await writer.whenRoom(() => add(lines.push(bytes)));
        unended.watch();
      },
      end: () => {
        unended.end();
        add(lines.end());
      },
    };
  }

  #openFor(name: string, limits: LogLimits): Open {
    const known = this.#open.get(name);
    if (known !== undefined) {
      known.file.limits = limits;
      known.file.check();
      return known;
    }
    let fallback: ChildOutput | null = null;
    const path = join(this.#directory, `${name}.log`);
    const shown = JSON.stringify(shownText(path));
    const file = new LogFile(path, limits, this.#own, this.#clock, {
      fault: (action, reason, isPassing) => {
        const instead = isPassing
          ? "the output of the process waits"
          : "the output of the process goes to the monitor's output";
        this.#log.error(`cannot ${action} ${shown}: ${reason}; ${instead}`, name);
      },
      recovered: () => this.#log.info(`${shown} can be written again`, name),
      instead: (bytes) => (fallback ??= this.#fallback(name)).stdout(bytes),
    });
    const report = { fault: () => {}, lost: () => {} };
    const end = () => {
      file.close();
      fallback?.end();
    };
    const open = {
      file,
      end,
      writer: new Writer(file, report, MAX_WAITING_BYTES),
      place: new SharedPlace(),
      stamped: new StampedLines(),
      children: 0,
    };
    this.#open.set(name, open);
    return open;
  }

  #close(name: string, open: Open): void {
    if (open.children > 0) return;
    open.end();
    // Another one may have been opened since then.
    if (this.#open.get(name) === open) this.#open.delete(name);
  }
}
