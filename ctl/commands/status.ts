import {
  describeSpan,
  type Health,
  healthsJson,
  isAtRest,
  isObject,
  type JsonObject,
  judge,
  ownValue,
  shouldRun,
  visible,
  visibleJson,
  whyUnhealthy,
} from "@ncolony/core";
import { denoClock, terminal, type ToldProcess, watchStatus } from "@ncolony/host/read-tool";
import { lastValue, type ParsedArgs, printShown, requiredPlace } from "@ncolony/host/tool";
import { membersOf } from "../members.ts";
import { type Cell, formatTable, type Tone } from "../table.ts";
import { deathsOf } from "../deaths.ts";
import { operands } from "../operands.ts";
import { whyStale, whyStopping } from "../stale.ts";
import { openStatus } from "../told.ts";
import { noSuchProcess, NOT_WELL, NOTHING } from "../unknown.ts";

/** How many processes the last sentence tells about. */
const MAX_TOLD = 3;

/** How the monitor and the processes are, at one moment. */
interface View {
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
interface Seen extends ToldProcess {
  /** What checkers report, by their names. */
  readonly healths: ReadonlyMap<string, Health>;
  readonly fault: string | null;
}

/**
 * Shows how processes are: `status [NAME…]`.
 *
 * @returns The exit code: 0 if all are well, 3 if one is not, 4 if there is no monitor.
 * @throws {ExitError} With 4 if there is no status, or no such process or group.
 */
export function run(words: ParsedArgs): number | Promise<number> {
  if (words.flags.has("watch")) return watchStatus(requiredPlace(words, "status"), () => show(words).text);
  const { text, code } = show(words);
  printShown(text);
  return code;
}

/** Returns what to print now, and the exit code. */
function show(words: ParsedArgs): { readonly text: string; readonly code: number } {
  const view = see(words);
  const isWell = view.processes.every(({ fault }) => fault === null);
  const code = view.isAlive === false ? NOTHING : isWell && view.stale === null ? 0 : NOT_WELL;
  const isWide = words.flags.has("wide");
  return { text: words.flags.has("json") ? visibleJson(JSON.stringify(toJson(view))) : toText(view, isWide), code };
}

function see(words: ParsedArgs): View {
  const { reader, known } = openStatus(words);
  const named = operands(words);
  const unknown = named.find((name) => !known.includes(name));
  if (unknown !== undefined) throw noSuchProcess(unknown, known);
  const group = lastValue(words, "group");
  const members = group === undefined ? null : membersOf(requiredPlace(words, "config"), group);
  const isAll = named.length > 0 || words.flags.has("wide");
  const now = denoClock.wall();
  const checkers = reader.checkers();
  const processes = (named.length > 0 ? [...new Set(named)].sort() : known).flatMap((name) => {
    const told = members === null || members.has(name) ? reader.process(name) : null;
    if (told === null || !isAll && told.status.state === "removed") return [];
    const deaths = deathsOf(told, () => reader.history(name).events);
    const healths = reader.healths(checkers, told.status);
    return [{ ...told, healths, fault: judge(told, deaths, whyUnhealthy(healths, told.status), now) }];
  });
  const [isAlive, monitor] = [reader.isAlive(), reader.json(".monitor") ?? {}];
  return {
    now,
    isAlive,
    stale: isAlive === false ? null : whyStale(monitor, now),
    monitor,
    usage: reader.json(".usage") ?? {},
    processes,
  };
}

/** Returns the document of `--json`. */
function toJson({ isAlive, monitor, usage, processes }: View): JsonObject {
  return {
    version: 1,
    monitor: { ...monitor, alive: isAlive },
    processes: processes.map(({ text, status, healths }) => ({
      ...JSON.parse(text),
      health: healthsJson(healths),
      usage: ownValue(usage, status.name) ?? null,
    })),
  };
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

/** Returns the table and the sentence below it. */
function toText(view: View, isWide: boolean): string {
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
  const table = rows.length === 0 ? [] : [formatTable(head, rows, terminal())];
  if (isAlive === false) return [...table, whoIsGone(view)].join("\n");
  const told = [whyStopping(view.monitor, view.now), view.stale].filter((sentence) => sentence !== null);
  return [...table, summary(processes), ...told].join("\n");
}

function rowOf({ status, healths, fault }: Seen, { now, isAlive, usage }: View, isWide: boolean): Cell[] {
  const { name, state, pid, started, incarnation, lastExit, problem } = status;
  // Nobody knows what became of it.
  const isStale = isAlive === false && !isAtRest(status);
  const [glyph, tone] = isStale ? ["?", "bad" as const] : GLYPHS[state]!;
  const isUp = !isStale && state === "running" && started !== null;
  const used = ownValue(usage, name);
  return [
    { text: visible(name) },
    { text: `${glyph} ${isStale ? "unknown" : state}`, tone: fault === null ? tone : "bad" },
    { text: !isStale && pid !== null ? `${pid}` : "-" },
    { text: isUp ? describeSpan(now - started) : "-" },
    { text: `${incarnation}` },
    { text: lastExit === null ? "-" : exitWord(lastExit.exit) },
    isUp ? healthCell(healths) : { text: "-" },
    ...isWide ? usageCells(isObject(used) ? used : {}) : [],
    { text: visible(problem?.message ?? fault ?? "-"), ...(fault === null ? {} : { tone: "bad" }) },
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

/** `3 of 4 run; crash waits 32 s (exit code 3, 5th death in a row)`. */
function summary(processes: readonly Seen[]): string {
  const wanted = processes.filter(({ status }) => shouldRun(status));
  const running = wanted.filter(({ status }) => status.state === "running");
  const wrong = processes.filter(({ fault }) => fault !== null);
  const told = wrong.slice(0, MAX_TOLD).map(({ status, fault }) => visible(`${status.name} ${fault}`));
  if (wrong.length > MAX_TOLD) told.push(`${wrong.length - MAX_TOLD} more are not well`);
  return [`${running.length} of ${wanted.length} run`, ...told].join("; ");
}

function whoIsGone({ monitor, now }: View): string {
  const at = typeof monitor.stopped === "string" ? Date.parse(monitor.stopped) : NaN;
  if (Number.isNaN(at)) return "The monitor is not running, and did not stop in order: its processes may still run.";
  return `The monitor is not running: it stopped ${describeSpan(Math.max(0, now - at))} ago.`;
}
