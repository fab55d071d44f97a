import {
  describeSpan,
  type Health,
  isAtRest,
  isObject,
  type JsonObject,
  ownValue,
  shouldRun,
  type Status,
  visible,
} from "@ncolony/core";
import { terminal, type ToldProcess } from "@ncolony/host/read-tool";
import { whyStopping } from "./stale.ts";
import { type Cell, formatTable, type Tone } from "./table.ts";

/** How many processes the last sentence tells about. */
const MAX_TOLD = 3;

/** How the monitor and the processes are, at one moment. */
export interface View {
  readonly now: number;
  /** Whether the monitor lives. Null if that cannot be seen. */
  readonly isAlive: boolean | null;
  /** Why all may be old. Null if it is not. */
  readonly stale: string | null;
  readonly monitor: JsonObject;
  readonly usage: JsonObject;
  readonly processes: readonly Seen[];
}

/** A process, and what is wrong with it. */
export interface Seen extends ToldProcess {
  /** What checkers report, by their names. */
  readonly healths: ReadonlyMap<string, Health>;
  readonly fault: string | null;
}

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
  const { processes, isAlive } = view;
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
  if (isAlive === false) return [...table, whoIsGone(view)].join("\n");
  const told = [whyStopping(view.monitor, view.now), view.stale].filter((sentence) => sentence !== null);
  return [...table, summary(view), ...told].join("\n");
}

function rowOf({ status, healths, fault }: Seen, { now, isAlive, usage }: View, isWide: boolean): Cell[] {
  const { name, state, pid, started, incarnation, lastExit, problem } = status;
  // Nobody knows what became of it.
  const isStale = isAlive === false && !isAtRest(status);
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
    { text: lastExit === null ? "-" : exitWord(lastExit.exit) },
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

/** Returns one word for an exit: `0`, `SIGKILL`, `no start`, `unknown`. */
function exitWord(exit: { readonly type: string; readonly code?: number; readonly signal?: string }): string {
  if (exit.type === "code") return `${exit.code}`;
  if (exit.type === "signal") return exit.signal!;
  return exit.type === "failed" ? "no start" : "unknown";
}

/** Tells when a process that is stopping will be sent SIGKILL. Null if it will not. */
function untilKilled({ killAt }: Status, now: number): string | null {
  return killAt === null ? null : `SIGKILL in ${describeSpan(Math.max(0, killAt - now))}`;
}

/** `3 of 4 run; crash waits 32 s (exit code 3, 5th death in a row); db is stopping (SIGKILL in 7 s); 2 are disabled`. */
function summary({ processes, now }: View): string {
  const wanted = processes.filter(({ status }) => shouldRun(status));
  const running = wanted.filter(({ status }) => status.state === "running");
  const disabled = processes.filter(({ status }) => status.state === "disabled").length;
  const wrong = processes.filter(({ fault }) => fault !== null);
  const stopping = wanted.filter(({ status, fault }) => fault === null && status.killAt !== null);
  const told = [
    ...wrong.map(({ status, fault }) => `${status.name} ${fault}`),
    ...stopping.map(({ status }) => `${status.name} is stopping (${untilKilled(status, now)})`),
  ];
  return [
    `${running.length} of ${wanted.length} run`,
    ...told.slice(0, MAX_TOLD).map(visible),
    ...told.length > MAX_TOLD ? [`and ${told.length - MAX_TOLD} more`] : [],
    ...disabled > 0 ? [`${disabled} ${disabled === 1 ? "is" : "are"} disabled`] : [],
  ].join("; ");
}

function whoIsGone({ monitor: { stopped, last_scan }, now }: View): string {
  const ago = (iso: string) => describeSpan(Math.max(0, now - Date.parse(iso)));
  if (typeof stopped === "string") return `The monitor is not running: it stopped ${ago(stopped)} ago.`;
  const seen = typeof last_scan === "string" ? ` It was last seen ${ago(last_scan)} ago.` : "";
  return `The monitor is not running, and did not shut down cleanly: its processes may still be running.${seen}`;
}
