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
/** Another object of the same source. */
const SAME = freeze(sample("web"));
const EDITED = freeze(sample("web", { args: ["false"] }));
/** Says for itself how it is to be stopped. */
const GENTLE = freeze(sample("web", { "ncolony.monitor": { stop_signal: "SIGINT", kill_time: 20 } }));

/** When the process started last, in all states where nothing else is said. */
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
/** When SIGKILL is sent now. */
const KILLED_NOW = { killedAt: NOW, reportAt: NOW + 5000 };

/** What stopping a running process gives, where nothing else is said. */
const STOPPED: Stopping = freeze({
  type: "stopping",
  next: null,
  delayMs: 100,
  ...PAST,
  startAt: NOW,
  stoppedAt: NOW,
  killAt: NOW + 5000,
});
/** What has ended, and is not wanted. */
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

/** One case: in this state, at NOW, this event gives that state and those effects. */
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
  "starts a waiting process at once, its back-off forgotten, when its config changed",
  WAITING,
  wanted(EDITED),
  { type: "running", spec: EDITED, delayMs: 100, startedAt: NOW },
  SPAWN_EDITED,
);
cell("forgets a waiting process when it becomes unwanted", WAITING, UNWANTED, ENDED);
cell("starts a waiting process at once and keeps its back-off when asked to restart", WAITING, RESTART, STARTED, SPAWN);
cell("forgets a waiting process when told to kill", WAITING, KILL, ENDED);
cell("reports an exit of a waiting process as unexpected", WAITING, EXITED, WAITING, UNEXPECTED);
cell("reports an empty group of a waiting process as unexpected", WAITING, EMPTIED, WAITING, UNEXPECTED);
const DUE = { ...WAITING, until: NOW };
cell("leaves a waiting process alone 1 ms before it is due", { ...WAITING, until: NOW + 1 }, TICK, {
  ...WAITING,
  until: NOW + 1,
});
cell("starts a waiting process, keeping its back-off, when it is due", DUE, TICK, STARTED, SPAWN);
cell("starts a waiting process at the time of a late tick", { ...DUE, until: NOW - 9 }, TICK, STARTED, SPAWN);

// running
const REPLACED: Stopping = { ...STOPPED, next: EDITED };
const RESTARTED: Stopping = { ...STOPPED, next: WEB };
cell("leaves a running process alone when what runs is wanted again", RUNNING, wanted(SAME), RUNNING);
cell("stops a running process, for the new one, when its config changed", RUNNING, wanted(EDITED), REPLACED, SIGTERM);
cell("stops a running process when it becomes unwanted", RUNNING, UNWANTED, STOPPED, SIGTERM);
cell("stops a running process, to start it again, when asked to restart", RUNNING, RESTART, RESTARTED, SIGTERM);
cell(
  "leaves a process alone that was started after its restart was asked for",
  RUNNING,
  { ...RESTART, askedAt: NOW - 1001 },
  RUNNING,
);
cell(
  "stops a process that was started when its restart was asked for",
  RUNNING,
  { ...RESTART, askedAt: NOW - 1000 },
  RESTARTED,
  SIGTERM,
);
cell(
  "never takes a stop that was asked for as an instant death",
  YOUNG,
  RESTART,
  { ...RESTARTED, ...YOUNG_PAST },
  SIGTERM,
);
const KILLED: Killing = { type: "killing", next: null, delayMs: 100, ...PAST, startAt: NOW, ...KILLED_NOW };
cell(
  "kills a process that is stopped no later than it is told to, where that is sooner than its kill time",
  RUNNING,
  { type: "unwanted", killBy: NOW + 4999 },
  { ...STOPPED, killAt: NOW + 4999 },
  SIGTERM,
);
cell(
  "gives a process its kill time where that is sooner than what it is told",
  RUNNING,
  { type: "unwanted", killBy: NOW + 5001 },
  STOPPED,
  SIGTERM,
);
cell("kills what is stopping already no later than it is told to", STOPPING, { type: "unwanted", killBy: NOW + 1999 }, {
  ...STOPPING,
  next: null,
  killAt: NOW + 1999,
}, stillStopping(1999));
cell("kills a running process when told to kill", RUNNING, KILL, KILLED, SIGKILL);
const DELAYED: Stopping = { ...RESTARTED, ...YOUNG_PAST, delayMs: 700, startAt: NOW + 400 };
cell("delays a process that died below the threshold", YOUNG, EXITED, DELAYED, SIGTERM);
cell(
  "delays a process that a signal ended below the threshold",
  YOUNG,
  exited({ type: "signal", signal: "SIGSEGV" }),
  DELAYED,
  SIGTERM,
);
cell("starts a process that died at exactly the threshold at once", RUNNING, EXITED, RESTARTED, SIGTERM);
cell(
  "starts a process that lived long at once and forgets its back-off",
  { ...RUNNING, startedAt: 0 },
  EXITED,
  { ...RESTARTED, startedAt: 0 },
  SIGTERM,
);
cell(
  "doubles the delay with an instant death",
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
  "waits at least 1 s for a process that could not be started, and doubles the delay below that",
  YOUNG,
  FAILED,
  { ...DELAYED, startAt: NOW + 1000 },
  SIGTERM,
);
cell(
  "waits the whole delay, where it is over 1 s, for a process that could not be started",
  { ...RUNNING, delayMs: 1500, startedAt: NOW },
  FAILED,
  { ...RESTARTED, startedAt: NOW, delayMs: 700, startAt: NOW + 1500 },
  SIGTERM,
);
cell(
  "takes a failed start for an instant death at any age",
  { ...RUNNING, startedAt: 0 },
  FAILED,
  { ...DELAYED, startedAt: 0, startAt: NOW + 1000 },
  SIGTERM,
);
cell("reports an empty group before the leader's exit as unexpected", RUNNING, EMPTIED, RUNNING, UNEXPECTED);
cell("leaves a running process alone as time passes", RUNNING, TICK, RUNNING);

Deno.test("step() waits at least 1 s for a process that could not be started when there is no delay at all", () => {
  const policy = { ...POLICY, minDelayMs: 0 };
  const expected = { ...DELAYED, delayMs: 0, startAt: NOW + 1000 };
  assertEquals(step({ ...YOUNG, delayMs: 0 }, FAILED, NOW, policy), [expected, [SIGTERM]]);
});

for (
  const [when, event, after] of [
    ["when it becomes unwanted", UNWANTED, STOPPED],
    ["when its config changed", wanted(EDITED), REPLACED],
    ["when asked to restart", RESTART, { ...STOPPED, next: GENTLE }],
    ["after its leader's end", EXITED, { ...STOPPED, next: GENTLE }],
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
  cell(`leaves ${subject} alone when what is next is wanted again`, state, wanted(SAME), state);
  cell(`puts a changed config next for ${subject}, without its delay`, state, wanted(EDITED), replaced, ...tells);
  cell(`puts a spec next for ${subject} that had none`, ending, wanted(EDITED), replaced, ...tells);
  cell(`starts nothing after ${subject} when it becomes unwanted`, state, UNWANTED, ending, ...tells);
  cell(`starts what follows ${subject} without delay when asked to restart`, state, RESTART, late, ...tells);
  cell(`waits for the group of ${subject} when its leader ended`, state, EXITED, state);
  cell(`takes a failed start of ${subject} as its leader's end`, state, FAILED, state);
  cell(`forgets ${subject} when its group is empty and nothing is next`, ending, EMPTIED, ENDED);
  cell(`starts what follows ${subject}, keeping the back-off, when its group is empty`, late, EMPTIED, STARTED, SPAWN);
  cell(`waits, keeping the back-off, when the group of ${subject} is empty too early`, state, EMPTIED, WAITING);
}
const HASTY = freeze(sample("web", { "ncolony.monitor": { kill_time: 3.5 } }));
const HURRIED: Stopping = { ...STOPPING, next: HASTY, startAt: NOW, delayMs: 100, killAt: NOW + 500 };
cell("takes a kill time that is changed while a process stops", STOPPING, wanted(HASTY), HURRIED, stillStopping(500));
cell(
  "takes a kill time that a config has which comes back while its process stops",
  { ...STOPPING, next: null },
  wanted(HASTY),
  HURRIED,
  stillStopping(500),
);
cell(
  "takes the monitor's kill time where a config has none any more",
  { ...HURRIED, killAt: NOW + 500 },
  wanted(EDITED),
  { ...HURRIED, next: EDITED, killAt: NOW + 2000 },
  stillStopping(2000),
);
cell(
  "takes a kill time that is over already",
  { ...STOPPING, stoppedAt: NOW - 9000 },
  wanted(HASTY),
  { ...HURRIED, stoppedAt: NOW - 9000, killAt: NOW - 5500 },
  stillStopping(0),
);
cell(
  "keeps the kill time that what is there began with where a config comes back that has none",
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
  "leaves a killing process alone 1 ms before it is to be reported",
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
  cell(`delays what is wanted ${after}`, { ...GONE, ...past }, wanted(WEB), { ...soon, delayMs: 100 });
  cell(`delays a restart ${after}`, { ...WAITING, ...past }, RESTART, soon);
  cell(`delays a changed config ${after}`, { ...WAITING, ...past }, wanted(EDITED), {
    ...soon,
    spec: EDITED,
    delayMs: 100,
  });
  cell(`delays what is due ${after}`, { ...WAITING, ...past, until: NOW }, TICK, soon);
  cell(`delays what follows an end ${after}`, { ...STOPPING, ...past, startAt: NOW }, EMPTIED, soon);
  cell(`remembers the last start of a gone process ${after}`, { ...GONE, ...past }, TICK, { ...GONE, ...past });
}
const RESTED = { startedAt: NOW - 100 };
cell("starts what is wanted 100 ms after its last start", { ...GONE, ...RESTED }, wanted(WEB), FRESH, SPAWN);
cell("forgets the last start of a gone process after 100 ms", { ...GONE, ...RESTED }, TICK, GONE);

Deno.test("step() starts a process no more often than every 100 ms, where there is no delay at all", () => {
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
Deno.test("step() doubles the delay with each instant death, from the minimum up to the maximum", () => {
  assertEquals(delays(POLICY), [100, 200, 400, 700, 700, 700]);
});

Deno.test("step() waits the minimum delay, the first time, also where the maximum is below it", () => {
  assertEquals(delays({ ...POLICY, minDelayMs: 900 }), [900, 700, 700, 700, 700, 700]);
});

Deno.test("deadline() is what a waiting, stopping or killing process waits for, and Infinity for any other", () => {
  const states = [WAITING, RUNNING, STOPPING, KILLING, GONE];
  const due = [WAITING.until, Infinity, STOPPING.killAt, KILLING.reportAt, Infinity];
  assertEquals(states.map(deadline), due);
  assertEquals(deadline(ENDED), ENDED.startedAt + 100);
});

Deno.test("step() leaves a state by a tick at its deadline", () => {
  for (const state of [WAITING, STOPPING]) {
    assertNotEquals(step(state, TICK, deadline(state), POLICY)[0].type, state.type);
  }
});

/** How long a process waits after each of six instant deaths in a row. */
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
