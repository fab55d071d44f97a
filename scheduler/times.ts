import { type Clock, type Plan, type Times, WallClock } from "@ncolony/host";
import type { CronTimes } from "./cron.ts";

/** If a run is late by more milliseconds than this, the machine slept, or its clock was set forward. */
const SLEPT_MS = 60_000;

/** Returns a random delay of a run, in milliseconds, so that many machines do not act at the same time. */
export type Splay = () => number;

/** Plans run k = 0, 1, 2, … at start + k × frequency, on the monotonic clock. */
export function every(frequencyMs: number, clock: Clock, splay: Splay): Times {
  let base = 0;
  return {
    first: () => {
      base = clock.now();
      return { dueAt: base + splay(), passed: 0 };
    },
    next: () => {
      const passed = Math.max(0, Math.floor((clock.now() - base) / frequencyMs));
      base += (passed + 1) * frequencyMs;
      return { dueAt: base + splay(), passed };
    },
    correct: () => null,
  };
}

/** Plans one run, which is due now. */
export function once(clock: Clock): Times {
  const never = { dueAt: Infinity, passed: 0 };
  return { first: () => ({ dueAt: clock.now(), passed: 0 }), next: () => never, correct: () => null };
}

/** Stores up to when times were handled, in milliseconds since 1970, for the next start of this program. */
export interface Last {
  /** Returns the stored time; null if it is unknown. */
  read(): number | null;
  /** Stores a time. */
  write(time: number): void;
}

/** Stores nothing. */
export const NO_LAST: Last = { read: () => null, write: () => {} };

/** The options of {@linkcode byCron}. */
export interface CronOptions {
  /** Returns the random delays. */
  readonly splay: Splay;
  /** Whether a time that was missed, because the machine slept or this program did not run, runs late. */
  readonly catchUp: boolean;
  /** Stores up to when times were handled. */
  readonly last: Last;
  /** Takes the warnings. */
  readonly warn: (message: string) => void;
}

/** How many skipped times are counted. */
const MAX_COUNT = 1000;

/** Plans runs at the times of a cron expression, on the wall clock. */
export function byCron(cron: CronTimes, clock: Clock, { splay, catchUp, last, warn }: CronOptions): Times {
  let plannedAt: Date | null = null;
  let delayMs = 0;
  /** Up to when times were handled, so that small corrections of the clock do not repeat them. */
  let dealtAt = -Infinity;
  const wallClock = new WallClock(clock);
  const dueAt = (): number => {
    wallClock.note();
    return clock.now() + (plannedAt === null ? Infinity : plannedAt.getTime() + delayMs - clock.wall());
  };
  const dealWith = (time: number) => {
    dealtAt = time;
    last.write(time);
  };
  /** Plans the first time after now, and skips the earlier ones. */
  const plan = (why: string): Plan => {
    const wall = clock.wall();
    const missed = timesBetween(cron, dealtAt, wall);
    if (dealtAt < wall) dealWith(wall);
    plannedAt = cron.nextRun(new Date(dealtAt));
    delayMs = splay();
    if (plannedAt === null) warn("the cron expression matches no future time: nothing will run");
    const and = missed.length > MAX_COUNT ? `${why}; more are not counted` : why;
    return { dueAt: dueAt(), passed: Math.min(missed.length, MAX_COUNT), ...(missed.length > 0 ? { why: and } : {}) };
  };
  /** Plans a missed time to run now. */
  const catchUpOn = (time: Date, why: string): Plan => {
    warn(`the run due at ${time.toISOString()} was missed because ${why}: running it now`);
    plannedAt = time;
    delayMs = clock.wall() - time.getTime();
    return { dueAt: dueAt(), passed: 0 };
  };
  return {
    first: () => {
      const wall = clock.wall();
      const before = last.read();
      if (before !== null && before > wall) warn("the time in the --last file is in the future: ignored");
      dealtAt = Math.min(before ?? wall, wall);
      const [missed] = timesBetween(cron, dealtAt, wall);
      return catchUp && missed !== undefined ? catchUpOn(missed, STOPPED) : plan(STOPPED);
    },
    next: () => {
      if (plannedAt !== null) dealWith(Math.max(dealtAt, plannedAt.getTime()));
      return plan(delayMs > 0 ? LATE : NO_TIME);
    },
    correct: () => {
      if (plannedAt === null) return null;
      const wall = clock.wall();
      const { jumpMs } = wallClock;
      if (wall - plannedAt.getTime() - delayMs > SLEPT_MS) {
        return catchUp ? catchUpOn(plannedAt, SLEPT) : plan(SLEPT);
      }
      if (jumpMs === 0) return null;
      if (jumpMs > -SLEPT_MS) return { dueAt: dueAt(), passed: 0 };
      // The clock was set back so far that its times come again.
      dealtAt = wall;
      return plan(SLEPT);
    },
  };
}

/** Why times are skipped or run late. */
const STOPPED = "the scheduler was not running";
const SLEPT = "the machine was suspended or its clock was set forward";
const LATE = "the previous run was delayed (--splay, --catch-up)";
const NO_TIME = "the scheduler was late (overloaded or suspended)";

/** Returns the times after one instant and up to another, both in milliseconds since 1970; at most `MAX_COUNT` + 1. */
function timesBetween(cron: CronTimes, after: number, until: number): Date[] {
  const times: Date[] = [];
  let time = cron.nextRun(new Date(after));
  while (time !== null && time.getTime() <= until && times.length <= MAX_COUNT) {
    times.push(time);
    time = cron.nextRun(time);
  }
  return times;
}
