import { assertEquals } from "@std/assert";
import {
  type Cause,
  foldConfig,
  foldStep,
  foldUnseenEnd,
  formatStatus,
  GONE,
  type HistoryEvent,
  type LastExit,
  logFields,
  newStatus,
  parseStatus,
  type ProcessEvent,
  type ProcessState,
  requestOf,
  type Spec,
  type Status,
  step,
} from "@ncolony/core";
import { Random } from "./random.ts";
import { sample } from "./samples.ts";

const POLICY = { thresholdMs: 1000, minDelayMs: 1000, maxDelayMs: 8000, killTimeMs: 5000 };

/** The wall clock is that far ahead of the monotonic one. */
const AHEAD = 1_000_000;

const WEB = sample("web");
const CHANGED = sample("web", { env: { TOKEN: "secret" } });

const NO_EXITS = newStatus("web", 0).exits;
const MONITOR: Cause = { kind: "monitor" };
const CONFIG: Cause = { kind: "config", keys: null };

/** Returns the cause of a message. */
function message(file: string, from?: string): Cause {
  return requestOf(file, from === undefined ? {} : { from }).cause;
}

/** A process that takes steps, and its status. */
class Life {
  now = 10_000;
  state: ProcessState = GONE;
  status: Status = newStatus("web", 0);
  readonly events: HistoryEvent[] = [];
  #pid = 100;

  /** Takes a step. Its children are started unless `fails`. */
  take(event: ProcessEvent, cause: Cause | null = null, fails = false): this {
    const [before, [after]] = [this.state, step(this.state, event, this.now, POLICY)];
    this.state = after;
    const isStart = after.type === "running" && before.type !== "running";
    const child = isStart && !fails ? { pid: ++this.#pid, scope: "group" as const } : null;
    this.#fold(foldStep(this.status, { before, event, after, now: this.now, at: this.now + AHEAD, child, cause }));
    return this;
  }

  /** Takes what a scan found, and then its event. */
  config(spec: Spec | null, event: ProcessEvent | null, cause: Cause = CONFIG): this {
    const wants = spec === null ? "removed" : spec.enabled ? "run" : "disabled";
    this.#fold(foldConfig(this.status, { wants, problem: null, source: spec?.source ?? null }, this.now + AHEAD));
    return event === null ? this : this.take(event, cause);
  }

  /** Takes both ends of the child. */
  end(code: number): this {
    return this.take({ type: "leader-exited", exit: { type: "code", code } }).take({ type: "group-exited" });
  }

  /** Fails to start. */
  fail(): this {
    return this.take({ type: "leader-exited", exit: { type: "failed", reason: "no such file" } })
      .take({ type: "group-exited" });
  }

  wait(ms: number): this {
    this.now += ms;
    return this;
  }

  /** The names of the events so far. */
  get story(): string {
    return this.events.map(({ event }) => event).join(" ");
  }

  #fold([status, events]: readonly [Status, readonly HistoryEvent[]]): void {
    this.status = status;
    this.events.push(...events);
  }
}

function started(): Life {
  return new Life().config(WEB, { type: "wanted", spec: WEB }, MONITOR);
}

Deno.test("foldStep() tells of a start: the pid, the incarnation, the config and the cause", () => {
  const { status, story } = started();
  const { state, since, pid, incarnation, started: at, scope, cause, source } = status;
  assertEquals([state, since, pid, incarnation, at, scope], ["running", 1_010_000, 101, 1, 1_010_000, "group"]);
  assertEquals([cause, source, story], [MONITOR, WEB.source, "started"]);
});

Deno.test("foldStep() tells of a crash: the exit, the delay and the next start, and then of the next start", () => {
  const life = started().wait(300).end(3);
  const { state, pid, delayMs, nextStart, lastExit, cause } = life.status;
  assertEquals([state, pid, delayMs, nextStart, cause], ["waiting", null, 1000, 1_011_300, { kind: "exit" }]);
  assertEquals(lastExit, { exit: { type: "code", code: 3 }, at: 1_010_300, livedMs: 300, isAsked: false });
  life.wait(1000).take({ type: "tick" });
  assertEquals([life.status.state, life.status.incarnation, life.status.cause], ["running", 2, { kind: "delay" }]);
  assertEquals([life.status.delayMs, life.status.nextStart], [null, null]);
  assertEquals(life.story, "started exited waiting started");
});

Deno.test("foldStep() never shows a process as running that could not be started", () => {
  const life = new Life().config(WEB, null, MONITOR).take({ type: "wanted", spec: WEB }, MONITOR, true);
  const states = [life.status.state];
  life.take({ type: "leader-exited", exit: { type: "failed", reason: "no such file" } });
  states.push(life.status.state);
  life.take({ type: "group-exited" });
  states.push(life.status.state);
  assertEquals(states, ["stopped", "waiting", "waiting"]);
  const { incarnation, lastExit, pid, nextStart } = life.status;
  assertEquals([incarnation, lastExit?.exit.type, lastExit?.livedMs, pid], [1, "failed", null, null]);
  assertEquals([nextStart, life.story], [1_011_000, "exited waiting"]);
});

Deno.test("foldStep() gives the start that follows from messages the last one as its cause, and names all", () => {
  const life = started().wait(2000).take({ type: "restart" }, message("1", "ctl"));
  assertEquals([life.status.state, life.status.cause], ["stopping", message("1", "ctl")]);
  life.take({ type: "restart" }, message("2", "httpcheck")).end(0);
  const both = { kind: "message", messages: ["1", "2"], from: "httpcheck", reason: null } as const;
  assertEquals([life.status.state, life.status.incarnation, life.status.cause], ["running", 2, both]);
  assertEquals(life.status.lastExit?.isAsked, true);
  // A request that was made before the start is answered by it.
  life.wait(10).take({ type: "restart", askedAt: life.now - 20 }, message("3"));
  assertEquals(
    [life.status.incarnation, life.status.cause],
    [2, message("3")].map((it, n) =>
      n === 0 ? it : {
        ...both,
        from: null,
        messages: ["1", "2", "3"],
      }
    ),
  );
  // The next request is answered by the next start alone.
  life.wait(2000).take({ type: "restart" }, message("4")).end(0);
  assertEquals([life.status.incarnation, life.status.cause], [3, message("4")]);
  assertEquals(life.story, "started stop-requested exited started stop-requested exited started");
});

Deno.test("foldStep() keeps the cause of a start that waits only because the last one was a moment ago", () => {
  const life = started().wait(10).take({ type: "restart" }, message("1")).end(0);
  assertEquals([life.status.state, life.status.cause], ["waiting", message("1")]);
  life.wait(100).take({ type: "tick" });
  assertEquals([life.status.state, life.status.cause], ["running", message("1")]);
});

Deno.test("foldStep() names the keys of a config that changed, and no values", () => {
  const life = started().wait(2000).config(CHANGED, { type: "wanted", spec: CHANGED });
  assertEquals(life.status.cause, { kind: "config", keys: ["env"] });
  assertEquals([life.status.source, life.end(0).status.source], [WEB.source, CHANGED.source]);
});

Deno.test("foldStep() tells that a process was killed, disabled, removed, or stopped by the end of the monitor", () => {
  const off = sample("web", { "ncolony.monitor": { enabled: false } });
  const stories = [off, null].map((spec) => {
    const life = started().wait(2000).config(spec, { type: "unwanted" }).wait(5000).take({ type: "tick" });
    assertEquals(life.status.state, "killing");
    life.end(0);
    return [life.status.state, life.status.pid, life.story];
  });
  const story = "started stop-requested killed exited";
  assertEquals(stories, [["disabled", null, `${story} disabled`], ["removed", null, `${story} removed`]]);
  const stopped = started().wait(2000).take({ type: "unwanted" }, MONITOR).end(0);
  assertEquals([stopped.status.state, stopped.status.cause], ["stopped", MONITOR]);
});

Deno.test("foldStep() and foldUnseenEnd() count each end once, by what ended it", () => {
  const life = started().end(3).wait(1000).take({ type: "tick" }).wait(2000).end(0);
  life.wait(2000).take({ type: "tick" }).wait(2000).take({ type: "restart" }, message("1")).end(7);
  life.take({ type: "leader-exited", exit: { type: "signal", signal: "SIGSEGV" } }).take({ type: "group-exited" });
  life.wait(9000).take({ type: "tick" }).fail();
  const seen = { asked: 1, success: 1, error: 1, signal: 1, not_started: 1, unknown: 0 };
  assertEquals(life.status.exits, seen);
  const [unseen] = foldUnseenEnd(life.status, false, 5);
  assertEquals(unseen.exits, { ...seen, unknown: 1 });
  assertEquals(foldUnseenEnd(unseen, true, 6)[0].exits, { ...seen, unknown: 1, asked: 2 });
});

Deno.test("foldConfig() tells what is wrong with a file once, and that it was mended, while the process goes on", () => {
  const life = started();
  const problem = { message: "invalid JSON", field: null, line: 1, column: 2 };
  const fold = (wants: "run" | null, wrong: typeof problem | null) =>
    foldConfig(life.status, { wants, problem: wrong, source: null }, life.now + AHEAD);
  let [status, events] = fold("run", problem);
  assertEquals([status.state, status.problem], ["running", { ...problem, since: 1_010_000 }]);
  assertEquals(events.map(({ event }) => event), ["problem"]);
  life.wait(5).status = status;
  assertEquals(fold("run", problem)[1], []);
  [status, events] = fold("run", null);
  assertEquals([status.problem, events.map(({ event }) => event)], [null, ["problem-gone"]]);
});

Deno.test("foldConfig() tells that a process rests: disabled, invalid or removed", () => {
  const problem = { message: "invalid JSON", field: null, line: 1, column: 2 };
  for (const wants of ["disabled", "removed", null] as const) {
    const [status, events] = foldConfig(newStatus("web", 0), {
      wants,
      problem: wants === null ? problem : null,
      source: null,
    }, 7);
    assertEquals([status.state, status.since], [wants ?? "invalid", 7]);
    assertEquals(events.map(({ event }) => event), [wants ?? "problem"]);
  }
});

Deno.test("parseStatus() takes nothing for granted", () => {
  const texts = ["", "{", "[]", "3", "{}", '{"version":2,"name":"web"}', '{"version":1}', '{"version":1,"name":3}'];
  assertEquals(texts.map(parseStatus), texts.map(() => null));
  const odd = {
    version: 1,
    name: "web",
    state: "flying",
    pid: -1,
    incarnation: 1.5,
    since: "soon",
    last_exit: { type: "code" },
    exits: { asked: -1, error: "3", success: 2 },
  };
  const more = { cause: { kind: "magic" }, problem: {}, delay: "1", scope: "world", threshold: null };
  assertEquals(parseStatus(JSON.stringify({ ...odd, ...more }))?.status, {
    ...newStatus("web", 0),
    exits: { ...NO_EXITS, success: 2 },
    problem: { message: "", field: null, line: null, column: null, since: 0 },
  });
});

Deno.test("foldStep() agrees with the state table in random histories", () => {
  const random = new Random(26);
  const specs = [WEB, CHANGED, sample("web", { "ncolony.monitor": { kill_time: 1 } })] as const;
  for (let history = 0; history < 300; history++) {
    const life = new Life();
    let starts = 0;
    let exits = 0;
    /** How much of the child is left: its leader and its group, its group, or nothing. */
    let left = 0;
    for (let steps = 0; steps < 40; steps++) {
      life.wait(random.pick([0, 1, 50, 99, 100, 900, 1000, 6000]));
      const before = life.state;
      const fails = random.below(4) === 0;
      const ends: readonly ProcessEvent[] = left === 2
        ? [{ type: "leader-exited", exit: { type: "code", code: random.below(2) } }]
        : left === 1
        ? [{ type: "group-exited" }]
        : [];
      const spec = random.pick(specs);
      const event = random.pick<ProcessEvent>([
        { type: "wanted", spec },
        { type: "unwanted" },
        { type: "restart" },
        { type: "tick" },
        ...ends,
        ...ends,
        ...ends,
      ]);
      if (event.type === "wanted") life.config(spec, null);
      if (event.type === "unwanted") life.config(null, null);
      life.take(event, event.type === "restart" ? message(`${steps}`) : null, fails);
      if (event.type === "leader-exited") exits++;
      if (event.type === "leader-exited" || event.type === "group-exited") left--;
      if (life.state.type === "running" && before.type !== "running") {
        starts++;
        left = 2;
        if (fails) {
          life.fail();
          left = 0;
          exits++;
        }
      }
      const { state, status } = life;
      const facts = { thresholdMs: 1000, stderr: ["oops"], sha256: "ab", lastEvent: 7 };
      const told = parseStatus(formatStatus(status, facts));
      // The text of the config is not told, and what becomes of it neither.
      const read = told?.status && { ...told.status, source: status.source, rest: status.rest };
      assertEquals(read, status);
      assertEquals(told?.facts, status.lastExit === null ? { ...facts, stderr: [] } : facts);
      const isAtRest = state.type === "gone";
      if (!isAtRest) assertEquals(status.state, state.type);
      else assertEquals(["stopped", "removed"].includes(status.state), true, status.state);
      assertEquals(status.incarnation, starts);
      assertEquals(Object.values(status.exits).reduce((sum, count) => sum + count), exits);
      assertEquals(status.pid !== null, left === 2);
      assertEquals(status.nextStart !== null, state.type === "waiting");
    }
  }
});

Deno.test("logFields() tells how a process exited, and who asked for what", () => {
  const status: Status = { ...newStatus("web", 0), state: "stopping", incarnation: 7 };
  const asked = requestOf("1", { from: "me", reason: "because" }).cause;
  const exited = (exit: LastExit["exit"], cause: Cause | null = null): HistoryEvent => {
    return { event: "exited", incarnation: 7, last: { exit, at: 0, livedMs: null, isAsked: false }, cause };
  };
  const told = (event?: HistoryEvent) => JSON.parse(JSON.stringify(logFields(status, event)));
  const common = { state: "stopping", incarnation: 7 };
  assertEquals(told(), common);
  assertEquals(told(exited({ type: "code", code: 0 })), { event: "exited", ...common, exit_code: 0 });
  assertEquals(told(exited({ type: "signal", signal: "SIGHUP" })), { event: "exited", ...common, signal: "SIGHUP" });
  const unknown = told(exited({ type: "unknown", reason: "nobody knows" }));
  assertEquals(unknown, { event: "exited", ...common, exit_reason: "nobody knows" });
  const failed = told(exited({ type: "failed", reason: "x".repeat(100_000) }, asked));
  assertEquals(failed.exit_reason, `${"x".repeat(300)}…${"x".repeat(200)}`);
  assertEquals([failed.from, failed.reason], ["me", "because"]);
  for (const cause of [null, MONITOR, CONFIG, message("1")]) {
    assertEquals(told({ event: "stop-requested", cause }), { event: "stop-requested", ...common });
  }
  assertEquals(told({ event: "stop-requested", cause: message("1", "me") }).from, "me");
  const never = JSON.stringify(logFields(newStatus("web", 0), { event: "disabled" }));
  assertEquals(never, '{"event":"disabled","state":"stopped"}', "it was never started");
});
