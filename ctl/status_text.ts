import {
  describeSpan,
  exitWord,
  type Health,
  isObject,
  isUnknown,
  type JsonObject,
  ownValue,
  type Seen,
  summaries,
  untilKilled,
  type View,
  visible,
} from "@ncolony/core";
import { terminal } from "@ncolony/host/read-tool";
import { type Cell, formatTable, type Tone } from "./table.ts";

const GLYPHS: Readonly<Record<string, readonly [glyph: string, tone: Tone]>> = {
  running: ["●", "good"],
  waiting: ["◌", "busy"],
  stopping: ["◐", "busy"],
  killing: ["◐", "bad"],
  disabled: ["○", "quiet"],
  stopped: ["○", "quiet"],
  removed: ["○", "quiet"],
  invalid: ["✗", "bad"],
};

/** The columns that a narrow terminal does without, the first one first. */
const SPARE = ["STARTS", "LAST-EXIT", "HEALTH", "UP", "PID"];

/** Formats the table of `status`, and the sentence below it. */
export function statusText(view: View, isWide: boolean): string {
  const { processes } = view;
  const head = [
    "NAME",
    "STATE",
    "PID",
    "UP",
    "STARTS",
    "LAST-EXIT",
    "HEALTH",
    ...isWide ? ["CPU", "MEMORY"] : [],
    "PROBLEM",
  ];
  const wrongFirst = processes.toSorted((a, b) => Number(b.fault !== null) - Number(a.fault !== null));
  const rows = wrongFirst.map((seen) => rowOf(seen, view, isWide));
  const table = rows.length === 0 ? [] : [formatTable(head, rows, terminal(), SPARE)];
  return [...table, ...summaries(view)].join("\n");
}

function rowOf(seen: Seen, view: View, isWide: boolean): Cell[] {
  const { status, healths, fault } = seen;
  const { now, usage } = view;
  const { name, state, pid, started, incarnation, problem } = status;
  const isStale = isUnknown(view, seen);
  const [glyph, tone] = isStale ? ["?", "bad" as const] : GLYPHS[state]!;
  const isUp = !isStale && state === "running" && started !== null;
  const used = ownValue(usage, name);
  const isBad: Pick<Cell, "tone"> = fault === null ? {} : { tone: "bad" };
  return [
    { text: visible(name) },
    { text: `${glyph} ${isStale ? "unknown" : state}`, tone, ...isBad },
    { text: !isStale && pid !== null ? `${pid}` : "-" },
    { text: isUp ? describeSpan(now - started) : "-" },
    { text: `${incarnation}` },
    { text: exitWord(status) ?? "-" },
    isUp ? healthCell(healths) : { text: "-" },
    ...isWide ? usageCells(isObject(used) ? used : {}) : [],
    // What it waited for, nobody waits for now.
    { text: visible(problem?.message ?? (isStale ? null : fault ?? untilKilled(status, now)) ?? "-"), ...isBad },
  ];
}

function healthCell(healths: ReadonlyMap<string, Health>): Cell {
  const found = [...healths.values()].map(({ isHealthy }) => isHealthy);
  if (found.includes(false)) return { text: "unhealthy", tone: "bad" };
  if (found.includes(null)) return { text: "unknown" };
  return found.length === 0 ? { text: "-" } : { text: "healthy", tone: "good" };
}

function usageCells({ cpu_seconds, memory }: JsonObject): Cell[] {
  return [
    { text: typeof cpu_seconds === "number" ? `${cpu_seconds.toFixed(1)} s` : "-" },
    { text: typeof memory === "number" ? `${(memory / 1024 / 1024).toFixed(1)} MiB` : "-" },
  ];
}
