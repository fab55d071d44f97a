/**
 * What a notifier tells its command.
 *
 * @module
 */

import { eventLine, eventSentence, type ToldEvent } from "./event.ts";
import { shownText } from "./shown.ts";
import { visible, visibleJson } from "./visible.ts";
import type { News } from "./waiting_news.ts";

/** What can be told: an event of a colony. `exited` is only an exit that nobody asked for. */
export type NoticeKind =
  | "started"
  | "exited"
  | "waiting"
  | "stop-requested"
  | "killed"
  | "crash-loop"
  | "crash-loop-over"
  | "problem"
  | "problem-gone"
  | "disabled"
  | "removed"
  | "unhealthy"
  | "healthy"
  | "monitor-started"
  | "monitor-stopped"
  | "monitor-gone";

/** All kinds. */
export const NOTICE_KINDS: readonly NoticeKind[] = [
  "started",
  "exited",
  "waiting",
  "stop-requested",
  "killed",
  "crash-loop",
  "crash-loop-over",
  "problem",
  "problem-gone",
  "disabled",
  "removed",
  "unhealthy",
  "healthy",
  "monitor-started",
  "monitor-stopped",
  "monitor-gone",
];

/** How long the lines of `NCOLONY_TEXT` may be together, in characters. The kernel limits a variable to 128 KiB. */
const MAX_TEXT = 10_000;

/** What a command gets. */
export interface Notice {
  /** Variables for its environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** What it reads from stdin: one line, a JSON document. */
  readonly document: string;
}

/**
 * Tells news. Nothing in it could control a terminal, or begin a line.
 *
 * @param colony The directory of the colony.
 * @param news At least one event.
 */
export function noticeOf(colony: string, { events, lost }: News): Notice {
  const newest = events.at(-1)!;
  const count = events.length + lost;
  const summary = summaryOf(newest, count);
  const lines = lastOf(events.map((event) => visible(shownText(eventLine(event)))), MAX_TEXT);
  const missing = count - lines.length;
  return {
    variables: {
      NCOLONY_EVENT: visible(newest.event),
      NCOLONY_NAME: visible(newest.name ?? ""),
      NCOLONY_COUNT: `${count}`,
      NCOLONY_SUMMARY: summary,
      NCOLONY_TEXT: [...missing > 0 ? [`(${missing} earlier events are not listed)`] : [], ...lines].join("\n"),
    },
    document: `${visibleJson(JSON.stringify({ version: 1, colony, summary, count, events }))}\n`,
  };
}

/** `web exited with 3 after 2.1 s; and 4 more`. */
function summaryOf(newest: ToldEvent, count: number): string {
  const sentence = visible(shownText(eventSentence(newest))).replace(/\.$/, "");
  return count > 1 ? `${sentence}; and ${count - 1} more` : sentence;
}

/** Returns the last lines that have room together; at least one. */
function lastOf(lines: readonly string[], room: number): readonly string[] {
  let from = lines.length;
  for (let left = room; from > 0; from--) {
    left -= lines[from - 1]!.length + 1;
    if (left < 0 && from < lines.length) break;
  }
  return lines.slice(from);
}
