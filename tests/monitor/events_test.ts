import { GONE, parseSpec, type ProcessEvent, type ProcessState, step } from "@ncolony/core";
import { assertEquals } from "@std/assert";
import { LOG_LEVELS, SILENT_LOG } from "@ncolony/host";
import { type ColonyEvent, eventsOf, withProblems } from "../../monitor/events.ts";

const POLICY = { thresholdMs: 1000, minDelayMs: 500, maxDelayMs: 1000, killTimeMs: 5000 };
const WEB = parseSpec("web", '{"args": ["httpd"]}');

/** Returns the reported events of a process. A `+` stands for a second that passes. */
function reported(...events: readonly (ProcessEvent | "+")[]): unknown[] {
  let state: ProcessState = GONE;
  let now = 0;
  return events.flatMap((event) => {
    if (event === "+") {
      now += 1000;
      return [];
    }
    const before = state;
    const [after, effects] = step(before, event, now, POLICY);
    state = after;
    const pid = effects.some(({ type }) => type === "spawn") ? { pid: 7 } : {};
    return [...eventsOf({ name: "web", before, event, after, now, ...pid })];
  });
}

const wanted: ProcessEvent = { type: "wanted", spec: WEB };
const exit = { type: "code", code: 3 } as const;
const exited: ProcessEvent = { type: "leader-exited", exit };
const [restart, unwanted, emptied, tick] = (["restart", "unwanted", "group-exited", "tick"] as const).map((type) => ({
  type,
}));

Deno.test("eventsOf() reports the life of a process: started, exited, waiting, started, exited, stopped", () => {
  const started = { type: "started", name: "web", pid: 7 };
  const ended = { type: "exited", name: "web", exit };
  assertEquals(reported(wanted, exited, emptied!, "+", tick!, "+", unwanted!, exited, emptied!), [
    started,
    ended,
    { type: "waiting", name: "web", delayMs: 500 },
    started,
    ended,
    { type: "stopped", name: "web" },
  ]);
});

Deno.test("eventsOf() reports a restart as an exit and a start, and a waiting process as stopped if it is no longer wanted", () => {
  const types = (...events: (ProcessEvent | "+")[]) => reported(...events).map((it) => (it as { type: string }).type);
  assertEquals(types(wanted, "+", restart!, exited, emptied!), ["started", "exited", "started"]);
  assertEquals(types(wanted, exited, emptied!, unwanted!), ["started", "exited", "waiting", "stopped"]);
  assertEquals(types(wanted, tick!, wanted), ["started"]);
});

Deno.test("withProblems() passes on all that a line tells", () => {
  const lines: unknown[] = [];
  const note = (...line: unknown[]) => void lines.push(line);
  const log = withProblems({ debug: note, info: note, warn: note, error: note }, () => {});
  const line = ["is wrong", "web", { event: "problem" }] as const;
  for (const level of LOG_LEVELS) log[level](...line);
  assertEquals(lines, Array(4).fill(line));
});

Deno.test("withProblems() reports warnings and errors as problems, of one process or of all", () => {
  const problems: ColonyEvent[] = [];
  const log = withProblems(SILENT_LOG, (problem) => problems.push(problem));
  log.warn("is wrong", "web");
  log.error("all is wrong");
  assertEquals(problems, [
    { type: "problem", name: "web", message: "is wrong" },
    { type: "problem", name: null, message: "all is wrong" },
  ]);
});
