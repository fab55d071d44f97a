import { type Clock, WallClock } from "@ncolony/host";
import type { CronTimes } from "./cron.ts";

/** A run that is later than this was slept through: the machine slept, or its clock was set forward. */
const SLEPT_MS = 60_000;

/** When a run is due. */
export interface Plan {
  /** When, in the clock's milliseconds; Infinity: never. */
  readonly dueAt: number;
  /** How many were due before, and are left out. */
  readonly passed: number;
  /** Why they are. */
  readonly why?: string;
}

/** When runs are due. */
export interface Times {
  /** Plans the first run. */
  first(): Plan;
  /** Plans the run after the one that is due now, or was. */
  next(): Plan;
  /** Plans the same run anew, where the wall clock makes that needed; else null. To be asked every ten seconds. */
  correct(): Plan | null;
}

/** A random delay of a run, in milliseconds: so that a fleet does not act at once. */
export type Splay = () => number;

/** The k-th run is due at start + k × frequency, on the monotonic clock. */
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

/** There is one run, and it is due now. */
export function once(clock: Clock): Times {
  const never = { dueAt: Infinity, passed: 0 };
  return { first: () => ({ dueAt: clock.now(), passed: 0 }), next: () => never, correct: () => null };
}

/** What remembers up to when times were dealt with, in milliseconds since 1970, while this program does not run. */
export interface Last {
  /** Null where that is not known. */
  read(): number | null;
  /** Notes it. */
  write(time: number): void;
}

/** Remembers nothing. */
export const NO_LAST: Last = { read: () => null, write: () => {} };

/** What is set of {@linkcode byCron}. */
export interface CronOptions {
  /** The random delays. */
  readonly splay: Splay;
  /** Whether a time that was slept through, or missed while this program did not run, runs as soon as that is seen. */
  readonly catchUp: boolean;
  /** Remembers up to when times were dealt with. */
  readonly last: Last;
  /** Takes what a person should know. */
  readonly warn: (message: string) => void;
}

/** More times that are left out are not counted one by one. */
const MAX_COUNT = 1000;

/** Runs are due by the wall clock, as a cron expression says. */
export function byCron(cron: CronTimes, clock: Clock, { splay, catchUp, last, warn }: CronOptions): Times {
  let plannedAt: Date | null = null;
  let delayMs = 0;
  /** Up to here times were dealt with: small corrections of the clock do not make them come again. */
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
  /** Plans the first time that is to come, and leaves out those until now. */
  const plan = (why: string): Plan => {
    const wall = clock.wall();
    const missed = timesBetween(cron, dealtAt, wall);
    if (dealtAt < wall) dealWith(wall);
    plannedAt = cron.nextRun(new Date(dealtAt));
    delayMs = splay();
    if (plannedAt === null) warn("the cron expression names no time any more");
    const and = missed.length > MAX_COUNT ? `${why}, and more` : why;
    return { dueAt: dueAt(), passed: Math.min(missed.length, MAX_COUNT), ...(missed.length > 0 ? { why: and } : {}) };
  };
  /** Has a time that is over run now. */
  const catchUpOn = (time: Date, why: string): Plan => {
    warn(`the run of ${time.toISOString()} was missed, for ${why}: it runs now`);
    plannedAt = time;
    delayMs = clock.wall() - time.getTime();
    return { dueAt: dueAt(), passed: 0 };
  };
  return {
    first: () => {
      const wall = clock.wall();
      const before = last.read();
      if (before !== null && before > wall) warn("what was remembered is of the future: it counts for nothing");
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
      // Set back as far as this, the clock comes by its times again.
      dealtAt = wall;
      return plan(SLEPT);
    },
  };
}

/** Why times are left out, or run late. */
const STOPPED = "this program did not run then";
const SLEPT = "the machine slept, or its clock was set forward";
const LATE = "the one before was delayed (--splay, --catch-up)";
const NO_TIME = "this program had no time";

/** The times after one instant up to another, in milliseconds since 1970; one more than are counted at most. */
function timesBetween(cron: CronTimes, after: number, until: number): Date[] {
  const times: Date[] = [];
  let time = cron.nextRun(new Date(after));
  while (time !== null && time.getTime() <= until && times.length <= MAX_COUNT) {
    times.push(time);
    time = cron.nextRun(time);
  }
  return times;
}
