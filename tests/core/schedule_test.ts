import { assertEquals } from "@std/assert";
import {
  type Exit,
  isFailure,
  SCHEDULE_BEGIN,
  scheduleDeadline,
  type ScheduleEffect,
  type ScheduleEvent,
  type SchedulePolicy,
  type ScheduleState,
  stepSchedule,
} from "@ncolony/core";
import { freeze } from "./samples.ts";

const POLICY: SchedulePolicy = freeze({
  timeoutMs: 3000,
  graceMs: 500,
  stopMs: Infinity,
  maxFailures: 3,
  isOnce: false,
});
const ONCE: SchedulePolicy = freeze({ ...POLICY, isOnce: true });
const NOW = 50_000;

const GOOD: Exit = freeze({ type: "code", code: 0 });
const BAD: Exit = freeze({ type: "code", code: 3 });

const COUNTS = freeze({ runs: 7, skipped: 4, failures: 2, dueAt: NOW + 9000 });
const IDLE: ScheduleState = freeze({ ...COUNTS, type: "idle" });
const RUNNING: ScheduleState = freeze({ ...COUNTS, type: "running", since: NOW - 1000, stopAt: NOW + 2000 });
const END = freeze({ since: NOW - 1000, exit: null, cause: "timeout", isLast: false } as const);
const STOPPING: ScheduleState = freeze({
  ...COUNTS,
  ...END,
  type: "stopping",
  stoppedAt: NOW - 100,
  killAt: NOW + 400,
});
const KILLING: ScheduleState = freeze({
  ...COUNTS,
  ...END,
  type: "killing",
  killedAt: NOW,
  reportAt: NOW + 5000,
});
const ENDED: ScheduleState = freeze({ type: "ended", exit: BAD, hasGivenUp: true });

const TICK: ScheduleEvent = { type: "tick" };
const EMPTIED: ScheduleEvent = { type: "group-exited" };
const STOP: ScheduleEvent = { type: "stop" };
const KILL: ScheduleEvent = { type: "kill" };
const PLAN: ScheduleEvent = freeze({ type: "plan", dueAt: NOW + 60, passed: 0 });
const LATE: ScheduleEvent = freeze({ type: "plan", dueAt: NOW + 60, passed: 5 });
const EXITED: ScheduleEvent = freeze({ type: "leader-exited", exit: GOOD });
const FAILED: ScheduleEvent = freeze({ type: "leader-exited", exit: BAD });

const SIGTERM: ScheduleEffect = { type: "signal", signal: "SIGTERM" };
const SIGKILL: ScheduleEffect = { type: "signal", signal: "SIGKILL" };
const SPAWN: ScheduleEffect = { type: "spawn" };
const REPLAN: ScheduleEffect = { type: "plan" };
const UNEXPECTED: ScheduleEffect = { type: "unexpected" };
const SKIPPED: ScheduleEffect = { type: "skipped", count: 1, total: 5, why: "the previous run has not ended" };
const PASSED: ScheduleEffect = {
  type: "skipped",
  count: 5,
  total: 9,
  why: "the scheduler was late (overloaded or suspended)",
};
const REPORT_GOOD: ScheduleEffect = { type: "report", run: 7, exit: GOOD, durationMs: 1000 };
const REPORT_BAD: ScheduleEffect = { type: "report", run: 7, exit: BAD, durationMs: 1000 };
const TIMED_OUT: ScheduleEffect = { type: "timed out", run: 7 };

/** Returns a state with some fields replaced. */
function but<T extends ScheduleState>(state: T, fields: Partial<Record<string, unknown>>): ScheduleState {
  return freeze({ ...state, ...fields }) as ScheduleState;
}

/** Tests one case: in this state, at NOW, this event leads to that state and those effects. */
function cell(
  sentence: string,
  state: ScheduleState,
  event: ScheduleEvent,
  after: ScheduleState,
  ...does: ScheduleEffect[]
): void {
  Deno.test(`stepSchedule() ${sentence}`, () => assertEquals(stepSchedule(state, event, NOW, POLICY), [after, does]));
}

function once(
  sentence: string,
  state: ScheduleState,
  event: ScheduleEvent,
  ...after: [ScheduleState, ...ScheduleEffect[]]
): void {
  const [next, ...does] = after;
  Deno.test(`stepSchedule() ${sentence}`, () => assertEquals(stepSchedule(state, event, NOW, ONCE), [next, does]));
}

// plan
for (const state of [IDLE, RUNNING, STOPPING, KILLING]) {
  cell(`stores a plan while ${state.type}`, state, PLAN, but(state, { dueAt: NOW + 60 }));
  cell(
    `counts and reports the runs that a plan skips while ${state.type}`,
    state,
    LATE,
    but(state, { dueAt: NOW + 60, skipped: 9 }),
    PASSED,
  );
}

// idle
const STARTED = but(RUNNING, { runs: 8, since: NOW, stopAt: NOW + 3000, dueAt: Infinity });
const OVER: ScheduleState = { type: "ended", exit: null, hasGivenUp: false };
cell("does nothing 1 ms before a run is due", but(IDLE, { dueAt: NOW + 1 }), TICK, but(IDLE, { dueAt: NOW + 1 }));
cell("starts a run when it is due, and plans the next one", but(IDLE, { dueAt: NOW }), TICK, STARTED, SPAWN, REPLAN);
cell("counts the timeout of a late run from its start", but(IDLE, { dueAt: NOW - 9 }), TICK, STARTED, SPAWN, REPLAN);
once("plans no other run after the only one", but(IDLE, { dueAt: NOW }), TICK, STARTED, SPAWN);
cell("ends at once when it is stopped while idle", IDLE, STOP, OVER);
cell("ends at once when it is killed while idle", IDLE, KILL, OVER);
cell("reports an exit while idle as unexpected", IDLE, EXITED, IDLE, UNEXPECTED);
cell("reports an empty group while idle as unexpected", IDLE, EMPTIED, IDLE, UNEXPECTED);

// running
const ASKED = freeze({ ...COUNTS, ...END, type: "stopping", stoppedAt: NOW, killAt: NOW + 500 } as const);
const NOT_PLANNED = { dueAt: Infinity };
cell(
  "leaves a run alone before its timeout",
  but(RUNNING, { stopAt: NOW + 1 }),
  TICK,
  but(RUNNING, { stopAt: NOW + 1 }),
);
cell(
  "skips a run that is due while another one runs",
  but(RUNNING, { dueAt: NOW }),
  TICK,
  but(RUNNING, { skipped: 5, dueAt: Infinity }),
  SKIPPED,
  REPLAN,
);
cell("sends SIGTERM to a run that times out", but(RUNNING, { stopAt: NOW }), TICK, ASKED, TIMED_OUT, SIGTERM);
cell(
  "skips the next run first if it is due when a run times out",
  but(RUNNING, { stopAt: NOW, dueAt: NOW }),
  TICK,
  but(RUNNING, { stopAt: NOW, skipped: 5, dueAt: Infinity }),
  SKIPPED,
  REPLAN,
);
once(
  "starts no other run after the only one times out",
  but(RUNNING, { stopAt: NOW }),
  TICK,
  but(ASKED, { isLast: true }),
  TIMED_OUT,
  SIGTERM,
);
const EXITING = but(ASKED, { cause: "exit", exit: GOOD });
cell("reports that a run exited, and stops what it left running", RUNNING, EXITED, EXITING, REPORT_GOOD, SIGTERM);
cell("reports that a run failed in the same way", RUNNING, FAILED, but(EXITING, { exit: BAD }), REPORT_BAD, SIGTERM);
once(
  "starts no other run after the only one exits",
  RUNNING,
  EXITED,
  but(EXITING, { isLast: true }),
  REPORT_GOOD,
  SIGTERM,
);
cell("sends SIGTERM to a run when it is stopped", RUNNING, STOP, but(ASKED, { cause: "stop", isLast: true }), SIGTERM);
const HURRIED: SchedulePolicy = freeze({ ...POLICY, stopMs: 300 });
Deno.test("stepSchedule() shortens the grace of a run that is stopped if the time for a stop is shorter", () => {
  const stopped = (killAt: number) => but(ASKED, { cause: "stop", isLast: true, killAt });
  assertEquals(stepSchedule(RUNNING, STOP, NOW, HURRIED), [stopped(NOW + 300), [SIGTERM]]);
  assertEquals(stepSchedule(RUNNING, STOP, NOW, { ...HURRIED, stopMs: 501 })[0], stopped(NOW + 500));
  assertEquals(stepSchedule(STOPPING, STOP, NOW, HURRIED), [but(STOPPING, { isLast: true, killAt: NOW + 300 }), []]);
  const soon = but(STOPPING, { killAt: NOW + 200 });
  assertEquals(stepSchedule(soon, STOP, NOW, HURRIED), [but(soon, { isLast: true }), []]);
  assertEquals(stepSchedule(but(RUNNING, { stopAt: NOW }), TICK, NOW, HURRIED)[0], ASKED, "a timeout has its grace");
});
cell("kills a run when it is killed", RUNNING, KILL, but(KILLING, { cause: "stop", isLast: true }), SIGKILL);
cell("reports an empty group of a run as unexpected", RUNNING, EMPTIED, RUNNING, UNEXPECTED);

// stopping and killing
cell(
  "sends no SIGKILL before the grace of a run is over",
  but(STOPPING, { killAt: NOW + 1 }),
  TICK,
  but(STOPPING, { killAt: NOW + 1 }),
);
cell("kills a run after its grace", but(STOPPING, { killAt: NOW }), TICK, KILLING, SIGKILL);
cell("waits for a killed run", KILLING, TICK, KILLING);
cell(
  "reports which processes of a run SIGKILL does not end, and again later",
  but(KILLING, { killedAt: NOW - 5000, reportAt: NOW }),
  TICK,
  but(KILLING, { killedAt: NOW - 5000, reportAt: NOW + 10_000 }),
  { type: "report-stuck", afterMs: 5000 },
);
cell(
  "kills a stopping run at once when it is killed, and starts no other",
  STOPPING,
  KILL,
  but(KILLING, { isLast: true }),
  SIGKILL,
);
cell("sends SIGKILL only once", KILLING, KILL, but(KILLING, { isLast: true }));
for (const state of [STOPPING, KILLING]) {
  const done = but(state, { exit: GOOD, cause: "exit" });
  const { type } = state;
  cell(
    `skips a run that is due while ${type}`,
    but(state, { dueAt: NOW }),
    TICK,
    but(state, { skipped: 5, ...NOT_PLANNED }),
    SKIPPED,
    REPLAN,
  );
  cell(`reports that a run exited while ${type}`, state, FAILED, but(state, { exit: BAD }), REPORT_BAD);
  cell(`reports a second exit while ${type} as unexpected`, done, EXITED, done, UNEXPECTED);
  cell(`reports an empty group before the exit while ${type} as unexpected`, state, EMPTIED, state, UNEXPECTED);
  cell(`starts no other run after a stop while ${type}`, state, STOP, but(state, { isLast: true }));
  const end = (sentence: string, fields: Record<string, unknown>, after: ScheduleState) => {
    cell(`${sentence} while ${type}`, but(done, fields), EMPTIED, after);
  };
  end("becomes idle and forgets the failures when the group of a good run is empty", {}, but(IDLE, { failures: 0 }));
  end("counts an exit code other than 0 as a failure", { exit: BAD, failures: 0 }, but(IDLE, { failures: 1 }));
  end("counts a signal as a failure", { exit: { type: "signal", signal: "SIGSEGV" }, failures: 1 }, IDLE);
  end("counts a failed start as a failure", { exit: { type: "failed", reason: "no" }, failures: 1 }, IDLE);
  end("counts a timeout as a failure whatever the exit code", { cause: "timeout", failures: 1 }, IDLE);
  end("gives up after too many failures in a row", { exit: BAD }, ENDED);
  end(
    "does not give up because of a stop",
    { exit: BAD, cause: "stop", isLast: true },
    but(ENDED, { hasGivenUp: false }),
  );
  end("ends after the last run", { isLast: true }, { type: "ended", exit: GOOD, hasGivenUp: false });
}

// ended
for (const event of [PLAN, LATE, TICK, EXITED, EMPTIED, STOP, KILL]) {
  cell(`ignores ${event.type}${event === LATE ? " with skipped runs" : ""} when ended`, ENDED, event, ENDED);
}

Deno.test("isFailure() returns false only for exit code 0", () => {
  const exits: Exit[] = [GOOD, BAD, { type: "signal", signal: "SIGTERM" }, { type: "failed", reason: "no" }];
  assertEquals(exits.map(isFailure), [false, true, true, true]);
});

Deno.test("scheduleDeadline() returns the earliest time that a state waits for", () => {
  assertEquals(scheduleDeadline(SCHEDULE_BEGIN), Infinity);
  assertEquals(scheduleDeadline(IDLE), NOW + 9000);
  assertEquals([scheduleDeadline(RUNNING), scheduleDeadline(but(RUNNING, { dueAt: NOW }))], [NOW + 2000, NOW]);
  assertEquals([scheduleDeadline(STOPPING), scheduleDeadline(but(STOPPING, { dueAt: NOW }))], [NOW + 400, NOW]);
  assertEquals([scheduleDeadline(KILLING), scheduleDeadline(ENDED)], [NOW + 5000, Infinity]);
  assertEquals(scheduleDeadline(but(KILLING, { dueAt: NOW })), NOW);
});
