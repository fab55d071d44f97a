import { quotedName } from "@ncolony/core";
import { denoClock, LogReader, StatusReader } from "@ncolony/host/read-tool";
import {
  countValue,
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
  const lines: NamedLine[] = [];
  for (const name of named.length > 0 ? named : known) {
    const reader = new LogReader(join(directory, name + LOG));
    const last = lastLines(reader.backward(), wanted, max);
    if (last === null && reader.exists) {
      throw new ExitError(`the log of ${quotedName(name)} has no times: run the monitor with --log-time`, 1);
    }
    const { lines: found, isOpen } = last ?? { lines: [], isOpen: true };
    const log = { name, reader, added: new AddedLines(wanted, found.at(-1)?.stamp ?? null) };
    if (isOpen) logs.push(log);
    const shown = [...found, ...isFollowing || !isOpen ? [] : ending(log)];
    lines.push(...shown.slice(Math.max(0, shown.length - max)).map((line) => ({ name, line })));
  }
  await printer.print(lines);
  if (isFollowing) await follow(directory, logs, named.length > 0 ? null : wanted, printer);
  return 0;
}

/** Prints what is added to logs. `wanted` is what to show of the logs of other processes; null: nothing. */
async function follow(directory: string, logs: Log[], wanted: Wanted | null, printer: LogPrinter): Promise<never> {
  for (;;) {
    if (wanted !== null) {
      const old = new Set(logs.map(({ name }) => name));
      for (const name of logsIn(directory) ?? []) {
        const reader = new LogReader(join(directory, name + LOG));
        if (!old.has(name)) logs.push({ name, reader, added: new AddedLines(wanted, null) });
      }
    }
    for (const { name, reader, added } of logs) {
      const lines = [...reader.more()].flatMap((bytes) => added.take(bytes) ?? []);
      await printer.print(lines.map((line) => ({ name, line })));
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
  const which = typeof monitor?.pid === "number" ? `the monitor (pid ${monitor.pid})` : "a monitor without --logs";
  return `${which} prints what processes write on its own stdout and stderr, or in its --log-file`;
}

/** Returns the error for a process without a log. */
function withoutLog(name: string, known: readonly string[], words: ParsedArgs): ExitError {
  const config = placeValue(words, "config");
  const isConfigured = config !== undefined && mayRead(config) && isFileIn(config, name);
  if (!isConfigured) return noSuchProcess(name, known);
  return new ExitError(`${quotedName(name)} has no log: it was never started, or its config has "log": false`, NOTHING);
}
