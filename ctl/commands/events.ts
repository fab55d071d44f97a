import {
  eventLine,
  isBadEvent,
  isStanding,
  type Standing,
  standings,
  standingsJson,
  type ToldEvent,
  visible,
  visibleJson,
} from "@ncolony/core";
import { denoClock, EventReader, printAll, readView, terminal } from "@ncolony/host/read-tool";
import { countValue, type ParsedArgs } from "@ncolony/host/tool";
import { operands } from "../operands.ts";
import { openStatus } from "../told.ts";
import { codeOf, noSuchProcess } from "../unknown.ts";

/** How many recorded events are shown, unless others are followed. */
const DEFAULT_LINES = 50;

/** How often to look for more, in milliseconds. */
const POLL_MS = 200;

/**
 * Shows how processes stand, and what happened to them, and with `--follow` what happens: `events [NAME…]`.
 *
 * @returns The exit code: 0 if all are well, 3 if one is not, 4 if there is no monitor; 0 after following.
 * @throws {ExitError} With 4 if there is no status, or no such process.
 */
export async function run(words: ParsedArgs): Promise<number> {
  const { reader, known } = openStatus(words);
  const named = [...new Set(operands(words))].sort();
  const unknown = named.find((name) => !known.includes(name));
  if (unknown !== undefined) throw noSuchProcess(unknown, known);
  const [isAll, isFollowing, isJson] = [named.length === 0, words.flags.has("follow"), words.flags.has("json")];
  const max = countValue(words, "lines", 0) ?? (isFollowing ? 0 : DEFAULT_LINES);
  const isWanted = ({ name, event }: ToldEvent) => {
    return isAll || event === "monitor-gone" || name !== null && named.includes(name);
  };

  const events = new EventReader(reader.path);
  const recorded = events.since(0);
  // An event is recorded before a file shows its result. So what happens now is in the events, or in both.
  const view = readView(reader, isAll ? reader.names() ?? [] : named, denoClock.wall());
  const meanwhile = events.more().filter(({ event }) => event !== "monitor-gone" || view.isAlive !== false);
  const stands = isStanding(view);
  const wanted = [...recorded, ...meanwhile].filter(isWanted);
  const past = wanted.filter((event) => event.id !== null && stands(event));
  const last = past.slice(Math.max(0, past.length - max));
  const since = wanted.filter((event) => !stands(event));

  const shown = view.processes.filter(({ status }) => !isAll || status.state !== "removed");
  const standing = { ...view, processes: shown };
  const lines = isJson ? standingsJson(standing).map(jsonLine) : standings(standing).map(textLine);
  // What is past is older than how things stand.
  if (!isJson && last.length > 0) lines.push("");
  if (!await print([...lines, ...[...last, ...since].map(isJson ? jsonLine : eventTextLine)])) return 0;
  if (!isFollowing) return codeOf(standing);
  for (;;) {
    await new Promise<void>((resolve) => denoClock.after(POLL_MS, resolve));
    const more = events.more().filter((event) => isWanted(event) && !stands(event));
    if (!await print(more.map(isJson ? jsonLine : eventTextLine))) return 0;
  }
}

function jsonLine(event: ToldEvent): string {
  return visibleJson(JSON.stringify(event));
}

function eventTextLine(event: ToldEvent): string {
  return textLine({ text: eventLine(event), isBad: isBadEvent(event) });
}

/** Makes a line safe for a terminal. What is bad is red. */
function textLine({ text, isBad }: Standing): string {
  const safe = visible(text);
  return isBad && terminal().hasColor ? `\x1b[31m${safe}\x1b[0m` : safe;
}

/** Prints lines. Resolves with whether somebody still reads them. */
async function print(lines: readonly string[]): Promise<boolean> {
  return await printAll(lines.map((line) => `${line}\n`).join(""));
}
