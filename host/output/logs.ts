import { type LogLimits, SharedPlace, shownText, WholeLines } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { freshPath, probe } from "../files/fresh.ts";
import { OwnDirectory } from "../files/own_directory.ts";
import type { ChildLogs, ChildOutput, Clock, Log, OnBytes, TrustOptions } from "../types.ts";
import { LogFile } from "./log_file.ts";
import { Unended } from "./unended.ts";
import { Writer } from "./writer.ts";

/** How much of one child's output may wait to be written. */
const MAX_WAITING_BYTES = 256 * 1024;

/** The log file of one process. */
interface Open {
  readonly file: LogFile;
  readonly writer: Writer;
  /** What all streams that are written to it share. */
  readonly place: SharedPlace;
  /** Lets go of what takes its output. */
  readonly end: () => void;
  /** How many children still write to it: a new one may start while the pipe of the last is emptied. */
  children: number;
}

/** A directory with one log file per process, `NAME.log`: the bytes of its children's stdout and stderr, line by line. */
export class Logs implements ChildLogs {
  readonly #directory: string;
  readonly #own: OwnDirectory;
  readonly #clock: Clock;
  readonly #log: Log;
  /** What takes the output of a process whose file cannot be written for good. */
  readonly #fallback: (name: string) => ChildOutput;
  readonly #open = new Map<string, Open>();

  /** Makes one, and the directory if it is missing. @throws {Error} Where nothing can be written there, or others may. */
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

  /** Makes the writers of one child, and opens its file, where that can be done. */
  forChild(name: string, limits: LogLimits): ChildOutput {
    const open = this.#openFor(name, limits);
    open.file.open();
    open.children++;
    const [stdout, stderr] = [this.#stream(open), this.#stream(open)];
    return {
      stdout: stdout.push,
      stderr: stderr.push,
      end: () => {
        stdout.end();
        stderr.end();
        open.children--;
        open.writer.flush().then(() => this.#close(name, open));
      },
    };
  }

  /** Resolves when all was written, or after `deadlineMs`: what could not be written by then is lost. */
  async flush(deadlineMs: number): Promise<void> {
    const all = [...this.#open.values()];
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(deadlineMs, resolve);
    await Promise.race([Promise.all(all.map(({ writer }) => writer.flush())), promise]);
    cancel();
    for (const { file } of all) file.abandon();
  }

  #stream({ writer, place }: Open): { push: OnBytes; end: () => void } {
    const lines = new WholeLines(place);
    const add = (pieces: readonly Uint8Array[]) => pieces.forEach((piece) => writer.add(piece));
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
        const instead = isPassing ? "its output waits" : "its output goes to the monitor's";
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
      children: 0,
    };
    this.#open.set(name, open);
    return open;
  }

  #close(name: string, open: Open): void {
    if (open.children > 0) return;
    open.end();
    // Another may have been opened since.
    if (this.#open.get(name) === open) this.#open.delete(name);
  }
}
