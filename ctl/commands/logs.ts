import { quotedName } from "@ncolony/core";
import { denoClock, LogReader, StatusReader } from "@ncolony/host/read-tool";
import {
  complain,
  countValue,
  describeError,
  ExitError,
  isFileIn,
  mayRead,
  namesIn,
  type ParsedArgs,
  placeValue,
  requiredPlace,
} from "@ncolony/host/tool";
import { join } from "@std/path/posix/join";
import { AddedLines, lastLines, type Wanted } from "../log_lines.ts";
import { LogPrinter, type NamedLine } from "../log_printer.ts";
import { wantedBy } from "../log_wanted.ts";
import { PROGRAM } from "../program.ts";
import { operands } from "../operands.ts";
import { noSuchProcess, NOTHING } from "../unknown.ts";

/** How many lines of each process are shown if nothing else limits them. */
const DEFAULT_LINES = 50;

/** How often to look for more, in milliseconds. A watch would report each of the many renames of a rotation. */
const POLL_MS = 200;

/** The end of the name of a log. */
const LOG = ".log";

/** The log of one process. */
interface Log {
  readonly name: string;
  readonly reader: LogReader;
  readonly added: AddedLines;
}

/**
 * Shows what processes wrote: `logs [NAME…]`.
 *
 * @returns The exit code.
 * @throws {ExitError} With 1 if there are no logs, or they lack the times that are needed; with 4 if a process has none.
 */
export async function run(words: ParsedArgs): Promise<number> {
  const directory = requiredPlace(words, "logs");
  const wanted = wantedBy(words);
  const isFollowing = words.flags.has("follow");
  const isLimited = wanted.since === null && wanted.run === null;
  const max = countValue(words, "lines", 0) ?? (isLimited ? DEFAULT_LINES : Infinity);
  const known = logsIn(directory);
  if (known === null) {
    throw new ExitError(`there are no logs in ${JSON.stringify(directory)}: ${whereOutputGoes(words)}`, 1);
  }
  const named = [...new Set(operands(words))];
  const missing = isFollowing ? undefined : named.find((name) => !known.includes(name));
  if (missing !== undefined) throw withoutLog(missing, known, words);
  const printer = new LogPrinter(named.length !== 1);
  const logs: Log[] = [];
  let lines: NamedLine[] = [];
  let code = 0;
  for (const name of named.length > 0 ? named : known) {
    try {
      const { log, shown } = begin(directory, name, wanted, max, isFollowing);
      if (log !== null) logs.push(log);
      lines = lines.concat(shown);
    } catch (error) {
      // The others are still worth reading.
      complain(PROGRAM, describeError(error));
      code = 1;
    }
  }
  if (typeof wanted.run === "number" && lines.length === 0 && code === 0 && max > 0) {
    throw new ExitError(`there is no start ${wanted.run} in the logs`, NOTHING);
  }
  if (await printer.print(lines) && isFollowing) {
    await follow(directory, logs, named.length > 0 ? null : wanted, printer);
  }
  return code;
}

/** Begins to read a log. `log` is what to follow: null if nothing that is added belongs to what is wanted. */
function begin(
  directory: string,
  name: string,
  wanted: Wanted,
  max: number,
  isFollowing: boolean,
): { readonly log: Log | null; readonly shown: readonly NamedLine[] } {
  const reader = new LogReader(join(directory, name + LOG));
  const last = lastLines(reader.backward(), wanted, max);
  if (last === null && reader.exists) {
    const how = 'run the monitor with --log-time, or set "time": true in the "log" of its config';
    throw new Error(`the log of ${quotedName(name)} has no times: ${how}`);
  }
  const { lines, isOpen } = last ?? { lines: [], isOpen: true };
  const log = { name, reader, added: new AddedLines(wanted, lines.at(-1)?.stamp ?? null) };
  const shown = isFollowing || !isOpen ? lines : lines.concat(ending(log));
  return {
    log: isOpen ? log : null,
    shown: shown.slice(Math.max(0, shown.length - max)).map((line) => ({ name, line })),
  };
}

/**
 * Prints what is added to logs, until nobody reads it, or nothing more belongs to what is wanted.
 *
 * @param wanted What to show of the logs of processes that are added. Null: nothing.
 */
async function follow(directory: string, logs: Log[], wanted: Wanted | null, printer: LogPrinter): Promise<void> {
  const known = new Set(logsIn(directory));
  let followed = logs;
  while (wanted !== null || followed.length > 0) {
    for (const name of wanted === null ? [] : logsIn(directory) ?? []) {
      if (known.has(name)) continue;
      known.add(name);
      const reader = new LogReader(join(directory, name + LOG));
      followed.push({ name, reader, added: new AddedLines(wanted!, null) });
    }
    for (const log of followed) {
      const { name, reader, added } = log;
      try {
        const lines = [...reader.more()].flatMap((bytes) => added.take(bytes) ?? []);
        if (!await printer.print(lines.map((line) => ({ name, line })))) return;
      } catch (error) {
        complain(PROGRAM, describeError(error));
        followed = followed.filter((other) => other !== log);
      }
    }
    await new Promise<void>((resolve) => denoClock.after(POLL_MS, resolve));
  }
}

/** Returns what was added while the log was read, and its last line, if that has not ended. */
function ending({ reader, added }: Log): NamedLine["line"][] {
  const lines = [...reader.more(), ...reader.unended()].flatMap((bytes) => added.take(bytes) ?? []);
  reader.close();
  return lines;
}

/** Returns the names of the processes that have a log. Null if there is no such directory. */
function logsIn(directory: string): string[] | null {
  return namesIn(directory)?.flatMap((name) => name.endsWith(LOG) ? [name.slice(0, -LOG.length)] : []).sort() ?? null;
}

/** Tells where the output of processes goes without log files. */
function whereOutputGoes(words: ParsedArgs): string {
  const status = placeValue(words, "status");
  const monitor = status !== undefined && mayRead(status) ? new StatusReader(status).json(".monitor") : null;
  if (typeof monitor?.logs === "string") return `the monitor writes them to ${JSON.stringify(monitor.logs)}`;
  if (monitor === null) return "is a monitor running with --logs or --colony? Without, it prints what processes write";
  const which = `the monitor (pid ${monitor.pid})`;
  return `${which} prints what processes write on its own stdout and stderr, or in its --log-file`;
}

/** Returns the error for a process without a log. */
function withoutLog(name: string, known: readonly string[], words: ParsedArgs): ExitError {
  const config = placeValue(words, "config");
  const isConfigured = config !== undefined && mayRead(config) && isFileIn(config, name);
  if (!isConfigured) return noSuchProcess(name, known);
  return new ExitError(`${quotedName(name)} has no log: it was never started, or its config has "log": false`, NOTHING);
}
