import { assertEquals, assertNotEquals } from "@std/assert";
import {
  deadline,
  type Effect,
  type Exit,
  GONE,
  type Gone,
  type Killing,
  type ProcessEvent,
  type ProcessState,
  type RestartPolicy,
  type Running,
  step,
  type Stopping,
  type Waiting,
} from "@ncolony/core";
import { freeze, sample } from "./samples.ts";

const POLICY: RestartPolicy = freeze({ thresholdMs: 1000, minDelayMs: 100, maxDelayMs: 700, killTimeMs: 5000 });
const NOW = 50_000;

const WEB = freeze(sample("web"));
/** Another object with the same source. */
const SAME = freeze(sample("web"));
const EDITED = freeze(sample("web", { args: ["false"] }));
/** A spec with its own stop signal and kill time. */
const GENTLE = freeze(sample("web", { "ncolony.monitor": { stop_signal: "SIGINT", kill_time: 20 } }));

/** The last start of the process, in all states unless they give another. */
const PAST = { startedAt: NOW - 1000 };
const WAITING: Waiting = freeze({ type: "waiting", spec: WEB, delayMs: 400, ...PAST, until: NOW + 300 });
const RUNNING: Running = freeze({ type: "running", spec: WEB, delayMs: 400, ...PAST });
const YOUNG_PAST = { startedAt: NOW - 999 };
const YOUNG: Running = freeze({ ...RUNNING, ...YOUNG_PAST });
const STOPPING: Stopping = freeze({
  type: "stopping",
  next: WEB,
  delayMs: 400,
  ...PAST,
  startAt: NOW + 300,
  stoppedAt: NOW - 3000,
  killAt: NOW + 2000,
});
const KILLING: Killing = freeze({
  type: "killing",
  next: WEB,
  delayMs: 400,
  ...PAST,
  startAt: NOW + 300,
  killedAt: NOW - 1000,
  reportAt: NOW + 4000,
});
/** The times of a process that gets SIGKILL now. */
const KILLED_NOW = { killedAt: NOW, reportAt: NOW + 5000 };

/** The default state after stopping a running process. */
const STOPPED: Stopping = freeze({
  type: "stopping",
  next: null,
  delayMs: 100,
  ...PAST,
  startAt: NOW,
  stoppedAt: NOW,
  killAt: NOW + 5000,
});
/** The state of a process that has ended and is not wanted. */
const ENDED: Gone = freeze({ type: "gone", ...PAST });

const UNWANTED: ProcessEvent = { type: "unwanted" };
const RESTART: ProcessEvent = { type: "restart" };
const KILL: ProcessEvent = { type: "kill" };
const EMPTIED: ProcessEvent = { type: "group-exited" };
const TICK: ProcessEvent = { type: "tick" };
const EXITED = exited({ type: "code", code: 0 });
const FAILED = exited({ type: "failed", reason: "no such command" });

const SPAWN: Effect = { type: "spawn", spec: WEB };
const SPAWN_EDITED: Effect = { type: "spawn", spec: EDITED };
const SIGTERM: Effect = { type: "signal", signal: "SIGTERM" };
const SIGINT: Effect = { type: "signal", signal: "SIGINT" };
const SIGKILL: Effect = { type: "signal", signal: "SIGKILL" };
const UNEXPECTED: Effect = { type: "unexpected" };

function wanted(spec: typeof WEB): ProcessEvent {
  return freeze({ type: "wanted", spec });
}

function stillStopping(inMs: number): Effect {
  return { type: "report-stopping", inMs };
}

function exited(exit: Exit): ProcessEvent {
  return freeze({ type: "leader-exited", exit });
}

/** Tests one case: in this state, at NOW, this event leads to that state and those effects. */
function cell(
  sentence: string,
  state: ProcessState,
  event: ProcessEvent,
  after: ProcessState,
  ...does: Effect[]
): void {
  Deno.test(`step() ${sentence}`, () => assertEquals(step(state, event, NOW, POLICY), [after, does]));
}

// waiting
const STARTED: Running = { ...RUNNING, startedAt: NOW };
cell("leaves a waiting process alone when what it waits for is wanted again", WAITING, wanted(SAME), WAITING);
cell(
  "starts a waiting process at once and resets its backoff when its config changes",
  WAITING,
  wanted(EDITED),
  { type: "running", spec: EDITED, delayMs: 100, startedAt: NOW },
  SPAWN_EDITED,
);
cell("forgets a waiting process when it becomes unwanted", WAITING, UNWANTED, ENDED);
cell("starts a waiting process at once and keeps its backoff when asked to restart", WAITING, RESTART, STARTED, SPAWN);
cell("forgets a waiting process when told to kill", WAITING, KILL, ENDED);
cell("reports an exit of a waiting process as unexpected", WAITING, EXITED, WAITING, UNEXPECTED);
cell("reports an empty group of a waiting process as unexpected", WAITING, EMPTIED, WAITING, UNEXPECTED);
const DUE = { ...WAITING, until: NOW };
cell("leaves a waiting process alone 1 ms before it is due", { ...WAITING, until: NOW + 1 }, TICK, {
  ...WAITING,
  until: NOW + 1,
});
cell("starts a waiting process and keeps its backoff when it is due", DUE, TICK, STARTED, SPAWN);
cell("starts a waiting process at the time of a late tick", { ...DUE, until: NOW - 9 }, TICK, STARTED, SPAWN);

// running
const REPLACED: Stopping = { ...STOPPED, next: EDITED };
const RESTARTED: Stopping = { ...STOPPED, next: WEB };
cell("leaves a running process alone when what runs is wanted again", RUNNING, wanted(SAME), RUNNING);
cell("stops a running process to replace it when its config changes", RUNNING, wanted(EDITED), REPLACED, SIGTERM);
cell("stops a running process when it becomes unwanted", RUNNING, UNWANTED, STOPPED, SIGTERM);
cell("stops a running process to start it again when asked to restart", RUNNING, RESTART, RESTARTED, SIGTERM);
cell(
  "leaves a process alone if it was started after the restart request",
  RUNNING,
  { ...RESTART, askedAt: NOW - 1001 },
  RUNNING,
);
cell(
  "stops a process if it was started at the same time as the restart request",
  RUNNING,
  { ...RESTART, askedAt: NOW - 1000 },
  RESTARTED,
  SIGTERM,
);
cell(
  "does not count a requested stop as a crash",
  YOUNG,
  RESTART,
  { ...RESTARTED, ...YOUNG_PAST },
  SIGTERM,
);
const KILLED: Killing = { type: "killing", next: null, delayMs: 100, ...PAST, startAt: NOW, ...KILLED_NOW };
cell(
  "kills an unwanted process at killBy if that is sooner than its kill time",
  RUNNING,
  { type: "unwanted", killBy: NOW + 4999 },
  { ...STOPPED, killAt: NOW + 4999 },
  SIGTERM,
);
cell(
  "kills an unwanted process after its kill time if that is sooner than killBy",
  RUNNING,
  { type: "unwanted", killBy: NOW + 5001 },
  STOPPED,
  SIGTERM,
);
cell("kills a process that is already stopping at killBy at the latest", STOPPING, {
  type: "unwanted",
  killBy: NOW + 1999,
}, {
  ...STOPPING,
  next: null,
  killAt: NOW + 1999,
}, stillStopping(1999));
cell("kills a running process when told to kill", RUNNING, KILL, KILLED, SIGKILL);
const DELAYED: Stopping = { ...RESTARTED, ...YOUNG_PAST, delayMs: 700, startAt: NOW + 400 };
cell("delays the restart of a process that exits within the threshold", YOUNG, EXITED, DELAYED, SIGTERM);
cell(
  "delays the restart of a process that a signal ends within the threshold",
  YOUNG,
  exited({ type: "signal", signal: "SIGSEGV" }),
  DELAYED,
  SIGTERM,
);
cell("restarts a process at once if it exits exactly at the threshold", RUNNING, EXITED, RESTARTED, SIGTERM);
cell(
  "restarts a long-lived process at once and resets its backoff",
  { ...RUNNING, startedAt: 0 },
  EXITED,
  { ...RESTARTED, startedAt: 0 },
  SIGTERM,
);
cell(
  "doubles the delay after a crash",
  { ...YOUNG, delayMs: 200 },
  EXITED,
  { ...DELAYED, delayMs: 400, startAt: NOW + 200 },
  SIGTERM,
);
cell(
  "keeps the delay at its maximum",
  { ...YOUNG, delayMs: 700 },
  EXITED,
  { ...DELAYED, delayMs: 700, startAt: NOW + 700 },
  SIGTERM,
);
cell(
  "waits at least 1 s after a failed start, and doubles the delay even if it is shorter",
  YOUNG,
  FAILED,
  { ...DELAYED, startAt: NOW + 1000 },
  SIGTERM,
);
cell(
  "waits for the whole delay after a failed start if it is over 1 s",
  { ...RUNNING, delayMs: 1500, startedAt: NOW },
  FAILED,
  { ...RESTARTED, startedAt: NOW, delayMs: 700, startAt: NOW + 1500 },
  SIGTERM,
);
cell(
  "treats a failed start as a crash at any age",
  { ...RUNNING, startedAt: 0 },
  FAILED,
  { ...DELAYED, startedAt: 0, startAt: NOW + 1000 },
  SIGTERM,
);
cell("reports an empty group before the leader's exit as unexpected", RUNNING, EMPTIED, RUNNING, UNEXPECTED);
cell("leaves a running process alone as time passes", RUNNING, TICK, RUNNING);

Deno.test("step() waits at least 1 s after a failed start even if there is no delay at all", () => {
  const policy = { ...POLICY, minDelayMs: 0 };
  const expected = { ...DELAYED, delayMs: 0, startAt: NOW + 1000 };
  assertEquals(step({ ...YOUNG, delayMs: 0 }, FAILED, NOW, policy), [expected, [SIGTERM]]);
});

for (
  const [when, event, after] of [
    ["when it becomes unwanted", UNWANTED, STOPPED],
    ["when its config changes", wanted(EDITED), REPLACED],
    ["when asked to restart", RESTART, { ...STOPPED, next: GENTLE }],
    ["after its leader exits", EXITED, { ...STOPPED, next: GENTLE }],
  ] as const
) {
  const own = { ...after, killAt: NOW + 20_000 };
  cell(`prefers the spec's stop signal and kill time ${when}`, { ...RUNNING, spec: GENTLE }, event, own, SIGINT);
}

// stopping and killing
for (const state of [STOPPING, KILLING]) {
  const subject = `a ${state.type} process`;
  const ending: ProcessState = { ...state, next: null };
  const late: ProcessState = { ...state, startAt: NOW };
  const replaced: ProcessState = { ...state, next: EDITED, startAt: NOW, delayMs: 100 };
  const tells = state === STOPPING ? [stillStopping(2000)] : [];
  cell(`leaves ${subject} alone when its next spec is wanted again`, state, wanted(SAME), state);
  cell(`starts a changed config after ${subject} without delay`, state, wanted(EDITED), replaced, ...tells);
  cell(`starts a newly wanted spec after ${subject} without delay`, ending, wanted(EDITED), replaced, ...tells);
  cell(`starts nothing after ${subject} when it becomes unwanted`, state, UNWANTED, ending, ...tells);
  cell(`starts the next process after ${subject} without delay when asked to restart`, state, RESTART, late, ...tells);
  cell(`waits for the group of ${subject} when its leader exits`, state, EXITED, state);
  cell(`treats a failed start of ${subject} as the exit of its leader`, state, FAILED, state);
  cell(`forgets ${subject} when its group is empty and nothing is next`, ending, EMPTIED, ENDED);
  cell(
    `starts the next process after ${subject} and keeps the backoff when its group is empty`,
    late,
    EMPTIED,
    STARTED,
    SPAWN,
  );
  cell(
    `waits and keeps the backoff when the group of ${subject} is empty before the delay is over`,
    state,
    EMPTIED,
    WAITING,
  );
}
const HASTY = freeze(sample("web", { "ncolony.monitor": { kill_time: 3.5 } }));
const HURRIED: Stopping = { ...STOPPING, next: HASTY, startAt: NOW, delayMs: 100, killAt: NOW + 500 };
cell("applies a kill time that changes while a process stops", STOPPING, wanted(HASTY), HURRIED, stillStopping(500));
cell(
  "applies the kill time of a config that comes back while its process stops",
  { ...STOPPING, next: null },
  wanted(HASTY),
  HURRIED,
  stillStopping(500),
);
cell(
  "applies the monitor's kill time if a config no longer has its own",
  { ...HURRIED, killAt: NOW + 500 },
  wanted(EDITED),
  { ...HURRIED, next: EDITED, killAt: NOW + 2000 },
  stillStopping(2000),
);
cell(
  "applies a kill time that is already over",
  { ...STOPPING, stoppedAt: NOW - 9000 },
  wanted(HASTY),
  { ...HURRIED, stoppedAt: NOW - 9000, killAt: NOW - 5500 },
  stillStopping(0),
);
cell(
  "keeps the kill time of a stopping process if a config without one comes back",
  { ...STOPPING, next: null, killAt: NOW + 60_000 },
  wanted(WEB),
  { ...STOPPING, startAt: NOW, delayMs: 100, killAt: NOW + 60_000 },
  stillStopping(60_000),
);
const HASTENED: Killing = { ...KILLING, ...KILLED_NOW, next: null };
cell("kills a stopping process when told to kill", STOPPING, KILL, HASTENED, SIGKILL);
cell("starts nothing after a killing process when told to kill", KILLING, KILL, {
  ...KILLING,
  next: null,
}, { type: "report-stuck", afterMs: 1000 });
cell("leaves a stopping process alone 1 ms before its kill time is over", { ...STOPPING, killAt: NOW + 1 }, TICK, {
  ...STOPPING,
  killAt: NOW + 1,
});
cell("kills a stopping process when its kill time is over", { ...STOPPING, killAt: NOW }, TICK, {
  ...KILLING,
  ...KILLED_NOW,
}, SIGKILL);
cell(
  "kills a stopping process that is unwanted when its kill time is over",
  { ...STOPPING, next: null, killAt: NOW - 9 },
  TICK,
  HASTENED,
  SIGKILL,
);
const KILLED_LONG_AGO: Killing = { ...KILLING, killedAt: NOW - 5000, reportAt: NOW };
cell(
  "leaves a killing process alone 1 ms before it must be reported",
  { ...KILLED_LONG_AGO, reportAt: NOW + 1 },
  TICK,
  {
    ...KILLED_LONG_AGO,
    reportAt: NOW + 1,
  },
);
cell(
  "reports a killing process that is still there 5 s after SIGKILL, and again 10 s later",
  KILLED_LONG_AGO,
  TICK,
  { ...KILLED_LONG_AGO, reportAt: NOW + 10_000 },
  { type: "report-stuck", afterMs: 5000 },
);

// gone
const FRESH: Running = { ...STARTED, delayMs: 100 };
cell("starts a process when it becomes wanted", GONE, wanted(WEB), FRESH, SPAWN);
cell("leaves a gone process alone when it is unwanted", GONE, UNWANTED, GONE);
cell("leaves a gone process alone when asked to restart", GONE, RESTART, GONE);
cell("leaves a gone process alone when told to kill", GONE, KILL, GONE);
cell("reports an exit of a gone process as unexpected", GONE, EXITED, GONE, UNEXPECTED);
cell("reports an empty group of a gone process as unexpected", GONE, EMPTIED, GONE, UNEXPECTED);
cell("leaves a gone process alone as time passes", GONE, TICK, GONE);

// the least time from start to start
for (const agoMs of [0, 1, 99]) {
  const past = { startedAt: NOW - agoMs };
  const soon = { type: "waiting", spec: WEB, delayMs: 400, ...past, until: past.startedAt + 100 } as const;
  const after = `${agoMs} ms after its last start`;
  cell(`delays the start of a wanted process ${after}`, { ...GONE, ...past }, wanted(WEB), { ...soon, delayMs: 100 });
  cell(`delays a restart ${after}`, { ...WAITING, ...past }, RESTART, soon);
  cell(`delays a changed config ${after}`, { ...WAITING, ...past }, wanted(EDITED), {
    ...soon,
    spec: EDITED,
    delayMs: 100,
  });
  cell(`delays the start of a waiting process ${after}`, { ...WAITING, ...past, until: NOW }, TICK, soon);
  cell(`delays the next process after a stopping one ${after}`, { ...STOPPING, ...past, startAt: NOW }, EMPTIED, soon);
  cell(`remembers the last start of a gone process ${after}`, { ...GONE, ...past }, TICK, { ...GONE, ...past });
}
const RESTED = { startedAt: NOW - 100 };
cell("starts a wanted process 100 ms after its last start", { ...GONE, ...RESTED }, wanted(WEB), FRESH, SPAWN);
cell("forgets the last start of a gone process after 100 ms", { ...GONE, ...RESTED }, TICK, GONE);

Deno.test("step() starts a process at most every 100 ms even if there is no delay at all", () => {
  const policy = { thresholdMs: 0, minDelayMs: 0, maxDelayMs: 0, killTimeMs: 0 };
  let [state] = step(GONE, wanted(WEB), NOW, policy);
  const starts: number[] = [];
  for (let now = NOW; now < NOW + 1000; now++) {
    for (const event of [TICK, RESTART, ...(state.type === "stopping" ? [EXITED, EMPTIED] : [])]) {
      const [after, effects] = step(state, event, now, policy);
      state = after;
      if (effects.some(({ type }) => type === "spawn")) starts.push(now - NOW);
    }
  }
  assertEquals(starts, [100, 200, 300, 400, 500, 600, 700, 800, 900]);
});

// several steps
Deno.test("step() doubles the delay after each crash, from the minimum up to the maximum", () => {
  assertEquals(delays(POLICY), [100, 200, 400, 700, 700, 700]);
});

Deno.test("step() waits for the minimum delay after the first crash even if the maximum is less", () => {
  assertEquals(delays({ ...POLICY, minDelayMs: 900 }), [900, 700, 700, 700, 700, 700]);
});

Deno.test("deadline() returns the time that a state waits for, or Infinity if there is none", () => {
  const states = [WAITING, RUNNING, STOPPING, KILLING, GONE];
  const due = [WAITING.until, Infinity, STOPPING.killAt, KILLING.reportAt, Infinity];
  assertEquals(states.map(deadline), due);
  assertEquals(deadline(ENDED), ENDED.startedAt + 100);
});

Deno.test("step() leaves a waiting or stopping state with a tick at its deadline", () => {
  for (const state of [WAITING, STOPPING]) {
    assertNotEquals(step(state, TICK, deadline(state), POLICY)[0].type, state.type);
  }
});

/** Returns how long a process waits after each of six crashes in a row. */
function delays(policy: RestartPolicy): number[] {
  let now = NOW;
  let [state] = step(GONE, wanted(WEB), now, policy);
  return Array.from({ length: 6 }, () => {
    const died = now;
    [state] = step(state, EXITED, now, policy);
    [state] = step(state, EMPTIED, now, policy);
    now = deadline(state);
    [state] = step(state, TICK, now, policy);
    return now - died;
  });
}
