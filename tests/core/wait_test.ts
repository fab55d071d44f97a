import { assertEquals } from "@std/assert";
import { type Exit, type JsonObject, judgeOrder, newStatus, type Order, requestOf, type Status } from "@ncolony/core";

const NOW = 1_000_000;
const RESTART: Order = { type: "restart", message: "2" };
const CONFIG: Order = { type: "config", sha256: "ab", at: NOW - 5000 };
const STOP: Order = { type: "stop" };

const CODE_3: Exit = { type: "code", code: 3 };
const DIED = { exit: CODE_3, at: NOW - 500, livedMs: 20, isAsked: false };

function outcome(
  order: Order,
  status: Partial<Status> | null,
  history: readonly JsonObject[] = [],
  sha256 = "ab",
  isWell = true,
): string {
  const told = status && {
    status: { ...newStatus("web", 0), ...status },
    facts: { thresholdMs: 1000, stderr: status.lastExit ? ["oops"] : [], sha256, lastEvent: null },
  };
  const found = judgeOrder(order, told, history, isWell, NOW);
  return found.type === "failed" ? found.reason : found.type;
}

/** The cause of a start that answers these messages. */
function cause(...messages: string[]): { kind: string; messages: string[] } {
  return { kind: "message", messages };
}

const BY_2 = requestOf("2", {}).cause;

Deno.test("judgeOrder() finds a restart done when the start that answers it has lived for its threshold", () => {
  assertEquals(outcome(RESTART, { state: "running", incarnation: 1, started: 0 }), "pending");
  assertEquals(outcome(RESTART, { state: "stopping", incarnation: 1, cause: BY_2 }), "pending");
  assertEquals(outcome(RESTART, { state: "running", incarnation: 2, started: NOW - 999, cause: BY_2 }), "pending");
  assertEquals(outcome(RESTART, { state: "running", incarnation: 2, started: NOW - 1000, cause: BY_2 }), "done");
  const both = { ...BY_2, messages: ["1", "2", "3"] };
  assertEquals(outcome(RESTART, { state: "running", incarnation: 2, started: NOW - 1000, cause: both }), "done");
  assertEquals(outcome(RESTART, null), "pending");
});

Deno.test("judgeOrder() finds that a restart has failed as soon as that start ended, even if nobody saw it run", () => {
  const history = [
    { event: "exited", incarnation: 1, type: "signal" },
    { event: "started", incarnation: 2, cause: cause("1", "2") },
    { event: "exited", incarnation: 2, type: "code" },
  ];
  const waiting = {
    state: "waiting",
    incarnation: 2,
    lastExit: DIED,
    nextStart: NOW + 1500,
    cause: { kind: "exit" },
  } as const;
  const reason = "exit code 3 after 0.02 s; it wrote: oops; next start 2 s later";
  assertEquals(outcome(RESTART, waiting, history), reason);
  assertEquals(
    outcome(RESTART, { ...waiting, state: "running", incarnation: 3, nextStart: null }, history),
    reason.split("; next")[0],
  );
});

Deno.test("judgeOrder() waits for the status to tell how a start ended that the history tells of", () => {
  const history = [{ event: "started", incarnation: 2, cause: cause("2") }, {
    event: "exited",
    incarnation: 2,
    type: "code",
  }];
  const older = { exit: { type: "signal", signal: "SIGTERM" }, at: 0, livedMs: 5, isAsked: true } as const;
  assertEquals(outcome(RESTART, { state: "stopping", incarnation: 1, pid: 7, lastExit: older }, history), "pending");
  assertEquals(outcome(RESTART, { state: "stopping", incarnation: 2, pid: 7, lastExit: older }, history), "pending");
  assertEquals(
    outcome(RESTART, { state: "stopping", incarnation: 2, lastExit: DIED }, history),
    "exit code 3 after 0.02 s; it wrote: oops",
  );
});

Deno.test("judgeOrder() finds that a restart has failed that could not be started, and not if another could not", () => {
  const failed = { ...DIED, exit: { type: "failed", reason: "no such file" }, livedMs: null } as const;
  const waiting = { state: "waiting", incarnation: 2, lastExit: failed } as const;
  const exited = (by: object) => [{ event: "exited", incarnation: 2, type: "failed", cause: by } as JsonObject];
  assertEquals(outcome(RESTART, waiting, exited(cause("2"))), "cannot start: no such file; it wrote: oops");
  assertEquals(outcome(RESTART, waiting, exited({ kind: "delay" })), "pending");
});

Deno.test("judgeOrder() finds a restart done whose start was replaced by a later one before anybody saw it", () => {
  const history = [{ event: "started", incarnation: 2, cause: cause("2") }];
  assertEquals(
    outcome(RESTART, { state: "running", incarnation: 2, started: NOW, cause: { kind: "config", keys: [] } }, history),
    "pending",
  );
  assertEquals(outcome(RESTART, { state: "running", incarnation: 3, started: NOW }, history), "done");
});

Deno.test("judgeOrder() finds a config done when a process with it has lived for its threshold, or is disabled by it", () => {
  const young = { state: "running", started: NOW - 999 } as const;
  assertEquals(outcome(CONFIG, null), "pending");
  assertEquals(outcome(CONFIG, young), "pending");
  assertEquals(outcome(CONFIG, { ...young, started: NOW - 1000 }), "done");
  assertEquals(outcome(CONFIG, { ...young, started: NOW - 1000 }, [], "of an older config"), "pending");
  assertEquals(outcome(CONFIG, { state: "disabled" }), "done");
});

Deno.test("judgeOrder() finds that a config has failed that is invalid, or whose process died", () => {
  const problem = { message: "no such user", field: null, line: null, column: null, since: NOW - 4000 };
  assertEquals(outcome(CONFIG, { state: "running", started: 0, problem }, [], "of an older config"), "no such user");
  const old = { ...problem, since: NOW - 60_000 };
  assertEquals(outcome(CONFIG, { state: "running", started: 0, problem: old }, [], "of an older config"), "pending");
  assertEquals(
    outcome(CONFIG, { state: "waiting", lastExit: DIED, nextStart: NOW + 500 }),
    "exit code 3 after 0.02 s; it wrote: oops; next start 1 s later",
  );
  assertEquals(outcome(CONFIG, { state: "waiting", lastExit: { ...DIED, isAsked: true } }), "pending");
});

Deno.test("judgeOrder() finds a stop done when nothing is left", () => {
  const states = ["running", "stopping", "killing", "waiting", "disabled", "removed", "stopped"] as const;
  const pending = [true, true, true, true, false, false, false];
  assertEquals(states.map((state) => outcome(STOP, { state }) === "pending"), pending);
  assertEquals(outcome(STOP, null), "done");
});
