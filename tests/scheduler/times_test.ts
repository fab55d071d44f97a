import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../monitor/fake_clock.ts";
import { parseCron } from "../../scheduler/cron.ts";
import type { Times } from "@ncolony/host";
import { byCron, every, once } from "../../scheduler/times.ts";

const NO_SPLAY = () => 0;

Deno.test("every() plans the first run at once, and the k-th run k intervals later", async () => {
  const clock = new FakeClock();
  const times = every(300, clock, NO_SPLAY);
  const start = clock.now();
  assertEquals(times.first(), { dueAt: start, passed: 0 });
  for (let k = 1; k < 1000; k++) {
    // Each run is noticed a little late.
    await clock.advance(start + (k - 1) * 300 + 13 - clock.now());
    assertEquals(times.next(), { dueAt: start + k * 300, passed: 0 });
  }
});

Deno.test("every() skips the runs that were due before it is called, and keeps the schedule", async () => {
  const clock = new FakeClock();
  const times = every(100, clock, NO_SPLAY);
  const start = clock.now();
  times.first();
  await clock.advance(99);
  assertEquals(times.next(), { dueAt: start + 100, passed: 0 });
  await clock.advance(1 + 350);
  assertEquals(times.next(), { dueAt: start + 500, passed: 3 });
  await clock.advance(50);
  assertEquals(times.next(), { dueAt: start + 600, passed: 0 });
});

Deno.test("every() counts a run that is due at this instant as skipped, because it plans a later one", async () => {
  const clock = new FakeClock();
  const times = every(100, clock, NO_SPLAY);
  const start = clock.now();
  times.first();
  await clock.advance(100);
  assertEquals(times.next(), { dueAt: start + 200, passed: 1 });
});

Deno.test("every() delays each run by its own splay, and does not shift the schedule", async () => {
  const clock = new FakeClock();
  const splays = [70, 30, 99];
  const times = every(100, clock, () => splays.shift()!);
  const start = clock.now();
  assertEquals(times.first(), { dueAt: start + 70, passed: 0 });
  await clock.advance(70);
  assertEquals(times.next(), { dueAt: start + 130, passed: 0 });
  await clock.advance(60);
  assertEquals(times.next(), { dueAt: start + 299, passed: 0 });
});

Deno.test("every() and once() ignore the wall clock", () => {
  const clock = new FakeClock();
  const times = [every(100, clock, NO_SPLAY), once(clock)];
  for (const each of times) each.first();
  clock.wallShiftMs = 1e9;
  assertEquals(times.map((each) => each.correct()), [null, null]);
});

Deno.test("once() plans one run now, and none after it", () => {
  const clock = new FakeClock();
  const times = once(clock);
  assertEquals(times.first(), { dueAt: clock.now(), passed: 0 });
  assertEquals(times.next(), { dueAt: Infinity, passed: 0 });
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A plan on a wall clock that shows `at` now. */
class Cron {
  readonly clock = new FakeClock();
  readonly warnings: string[] = [];
  readonly times: Times;
  /** Up to when times were handled. */
  last: number | null;

  constructor(
    expression: string,
    at: string,
    options: { catchUp?: boolean; splay?: () => number; last?: string } = {},
  ) {
    this.last = options.last === undefined ? null : Date.parse(options.last);
    this.clock.wallShiftMs = Date.parse(at) - this.clock.wall();
    const { catchUp = false, splay = NO_SPLAY } = options;
    const warn = (line: string) => this.warnings.push(line);
    const last = {
      read: () => this.last,
      write: (time: number) => void (this.last = time),
    };
    this.times = byCron(parseCron(expression, "UTC"), this.clock, { splay, catchUp, last, warn });
  }

  /** Returns when a plan is due on the wall clock, as HH:MM:SS. */
  due(plan: { dueAt: number } | null): string | null {
    return plan && new Date(plan.dueAt - this.clock.now() + this.clock.wall()).toISOString().slice(11, 19);
  }

  /** Returns when the corrected plan is due; null if nothing is corrected. */
  correct(): string | null {
    return this.due(this.times.correct());
  }
}

Deno.test("byCron() plans each run at the times of the expression, on the wall clock", async () => {
  const cron = new Cron("*/15 * * * *", "2026-01-10T10:01:00Z");
  assertEquals(cron.due(cron.times.first()), "10:15:00");
  await cron.clock.advance(14 * MINUTE);
  assertEquals([cron.correct(), cron.due(cron.times.next())], [null, "10:30:00"]);
  await cron.clock.advance(15 * MINUTE + 30);
  assertEquals(cron.due(cron.times.next()), "10:45:00");
  assertEquals(cron.warnings, []);
});

Deno.test("byCron() delays each run by its splay", async () => {
  const splays = [5000, 0];
  const cron = new Cron("*/15 * * * *", "2026-01-10T10:01:00Z", { splay: () => splays.shift()! });
  assertEquals(cron.due(cron.times.first()), "10:15:05");
  await cron.clock.advance(14 * MINUTE + 5000);
  assertEquals([cron.correct(), cron.due(cron.times.next())], [null, "10:30:00"]);
});

Deno.test("byCron() plans a run sooner when the wall clock is set forward, and later when it is set back", () => {
  const cron = new Cron("0 12 * * *", "2026-01-10T10:00:00Z");
  const { dueAt } = cron.times.first();
  cron.clock.wallShiftMs += HOUR;
  const sooner = cron.times.correct();
  assertEquals([cron.due(sooner), sooner!.dueAt], ["12:00:00", dueAt - HOUR]);
  assertEquals(cron.correct(), null);
  cron.clock.wallShiftMs -= 3 * HOUR;
  const later = cron.times.correct();
  assertEquals([cron.due(later), later!.dueAt], ["12:00:00", dueAt + 2 * HOUR]);
});

Deno.test("byCron() plans times again if the wall clock is set back before them", async () => {
  const cron = new Cron("0 * * * *", "2026-01-10T10:30:00Z");
  cron.times.first();
  await cron.clock.advance(30 * MINUTE);
  assertEquals(cron.due(cron.times.next()), "12:00:00");
  cron.clock.wallShiftMs -= 2 * HOUR;
  assertEquals(cron.correct(), "10:00:00");
});

Deno.test("byCron() runs a time once even if the wall clock is set back a little before it", async () => {
  const cron = new Cron("0 * * * *", "2026-01-10T10:30:00Z");
  const plan = cron.times.first();
  cron.clock.wallShiftMs -= 500;
  await cron.clock.advanceTo((cron.times.correct() ?? plan).dueAt);
  assertEquals(cron.due(cron.times.next()), "12:00:00");
});

Deno.test("byCron() runs a time once even if the wall clock is set back a little after it", async () => {
  const cron = new Cron("0 * * * *", "2026-01-10T10:30:00Z");
  await cron.clock.advanceTo(cron.times.first().dueAt + 1000);
  const plan = cron.times.next();
  cron.clock.wallShiftMs -= 2000;
  assertEquals(cron.due(cron.times.correct() ?? plan), "12:00:00");
});

Deno.test("byCron() follows a wall clock that drifts in small steps", async () => {
  const cron = new Cron("0 12 * * *", "2026-01-10T10:00:00Z");
  let plan = cron.times.first();
  for (let i = 0; i < 30; i++) {
    await cron.clock.advance(10_000);
    cron.clock.wallShiftMs -= 800;
    plan = cron.times.correct() ?? plan;
  }
  const dueAt = Date.parse("2026-01-10T12:00:00Z") - cron.clock.wall() + cron.clock.now();
  assert(Math.abs(plan.dueAt - dueAt) <= 1000, `${plan.dueAt - dueAt} ms off`);
});

const SLEPT = "the machine was suspended or its clock was set forward";

Deno.test("byCron() skips and counts the times that were missed during a suspend", () => {
  const cron = new Cron("0 * * * *", "2026-01-10T10:30:00Z");
  cron.times.first();
  cron.clock.wallShiftMs += 3 * HOUR;
  const plan = cron.times.correct()!;
  assertEquals([cron.due(plan), plan.passed, plan.why, cron.correct()], ["14:00:00", 3, SLEPT, null]);
  assertEquals(cron.warnings, []);
});

Deno.test("byCron() catches up with one run after a suspend, and counts the other missed times", async () => {
  const cron = new Cron("0 * * * *", "2026-01-10T10:30:00Z", { catchUp: true });
  cron.times.first();
  cron.clock.wallShiftMs += 3 * HOUR;
  const plan = cron.times.correct()!;
  assertEquals([cron.due(plan), plan.passed, cron.correct()], ["13:30:00", 0, null]);
  assertEquals(cron.warnings, [`the run due at 2026-01-10T11:00:00.000Z was missed because ${SLEPT}: running it now`]);
  await cron.clock.advance(10);
  const next = cron.times.next();
  assertEquals([cron.due(next), next.passed], ["14:00:00", 2]);
});

Deno.test("byCron() counts the times that pass during the splay of the previous run", async () => {
  const cron = new Cron("* * * * *", "2026-01-10T10:00:30Z", { splay: () => 10 * MINUTE });
  assertEquals(cron.due(cron.times.first()), "10:11:00");
  await cron.clock.advance(10 * MINUTE + 30_000);
  const next = cron.times.next();
  assertEquals([cron.due(next), next.passed, /--splay/.test(next.why!)], ["10:22:00", 10, true]);
});

for (const catchUp of [false, true]) {
  const what = catchUp ? "runs once for" : "skips";
  Deno.test(`byCron() ${what} the times that were due while it did not run, and counts them`, () => {
    const options = { catchUp, last: "2026-01-10T06:30:00Z" };
    const cron = new Cron("0 * * * *", "2026-01-10T10:30:00Z", options);
    const first = cron.times.first();
    const why = "the scheduler was not running";
    if (!catchUp) assertEquals([cron.due(first), first.passed, first.why], ["11:00:00", 4, why]);
    else {
      assertEquals([cron.due(first), first.passed], ["10:30:00", 0]);
      assertEquals(cron.warnings, [
        `the run due at 2026-01-10T07:00:00.000Z was missed because ${why}: running it now`,
      ]);
      const next = cron.times.next();
      assertEquals([cron.due(next), next.passed], ["11:00:00", 3]);
    }
    assertEquals(cron.last, Date.parse("2026-01-10T10:30:00Z"));
  });
}

Deno.test("byCron() ignores a stored time in the future, and counts at most 1000 missed times", () => {
  const future = new Cron("0 * * * *", "2026-01-10T10:30:00Z", { last: "2027-01-10T06:30:00Z" });
  assertEquals([future.due(future.times.first()), future.warnings.length], ["11:00:00", 1]);
  const old = new Cron("* * * * *", "2026-01-10T10:30:00Z", { last: "2000-01-01T00:00:00Z" });
  const { passed, why } = old.times.first();
  assertEquals([passed, why], [1000, "the scheduler was not running; more are not counted"]);
});

Deno.test("byCron() stores each time that it has run", async () => {
  const cron = new Cron("0 * * * *", "2026-01-10T10:30:00Z");
  cron.times.first();
  await cron.clock.advance(HOUR / 2);
  cron.times.next();
  assertEquals(new Date(cron.last!).toISOString(), "2026-01-10T11:00:00.000Z");
});

Deno.test("byCron() runs a time that is late by less than a minute", () => {
  const cron = new Cron("0 * * * *", "2026-01-10T10:59:30Z");
  cron.times.first();
  cron.clock.wallShiftMs += MINUTE;
  const plan = cron.times.correct();
  assertEquals([plan!.dueAt, cron.warnings], [cron.clock.now() - 30_000, []]);
});

Deno.test("byCron() warns if no time follows, and plans none", () => {
  const cron = new Cron("0 0 30 2 *", "2026-01-10T10:30:00Z");
  assertEquals(cron.times.first(), { dueAt: Infinity, passed: 0 });
  assertEquals(cron.warnings, ["the cron expression matches no future time: nothing will run"]);
  cron.clock.wallShiftMs += 3 * HOUR;
  assertEquals(cron.times.correct(), null);
});
