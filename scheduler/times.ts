import type { Clock } from "@ncolony/host";
import type { CronTimes } from "./cron.ts";

/** A run that is later than this was slept through: the machine slept, or its clock was set forward. */
const SLEPT_MS = 60_000;

/** More than this between the wall clock and the monotonic one is a jump. */
const JUMP_MS = 1000;

/** When a run is due. */
export interface Plan {
  /** When, in the clock's milliseconds; Infinity: never. */
  readonly dueAt: number;
  /** How many were due before, and are passed over. */
  readonly passed: number;
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

/** What is set of {@linkcode byCron}. */
export interface CronOptions {
  /** The random delays. */
  readonly splay: Splay;
  /** Whether a time that was slept through runs on waking. */
  readonly catchUp: boolean;
  /** Takes what a person should know. */
  readonly tell: (message: string) => void;
}

/** Runs are due by the wall clock, as a cron expression says. */
export function byCron(cron: CronTimes, clock: Clock, { splay, catchUp, tell }: CronOptions): Times {
  let plannedAt: Date | null = null;
  let delayMs = 0;
  /** The last time that was due: small corrections of the clock do not make it come again. */
  let lastAt = -Infinity;
  let aheadMs = 0;
  const dueAt = (): Plan => {
    aheadMs = clock.wall() - clock.now();
    const wait = plannedAt === null ? Infinity : plannedAt.getTime() + delayMs - clock.wall();
    return { dueAt: clock.now() + wait, passed: 0 };
  };
  const plan = (): Plan => {
    plannedAt = cron.nextRun(new Date(Math.max(clock.wall(), lastAt)));
    delayMs = splay();
    if (plannedAt === null) tell("the cron expression names no time any more");
    return dueAt();
  };
  return {
    first: plan,
    next: () => {
      lastAt = plannedAt?.getTime() ?? lastAt;
      return plan();
    },
    correct: () => {
      if (plannedAt === null) return null;
      const wall = clock.wall();
      const jumpMs = wall - clock.now() - aheadMs;
      if (wall - plannedAt.getTime() - delayMs > SLEPT_MS) {
        tell(`the run of ${plannedAt.toISOString()} was slept through${catchUp ? ": it runs now" : ""}`);
        if (!catchUp) return plan();
        plannedAt = new Date(wall);
        delayMs = 0;
        return dueAt();
      }
      if (Math.abs(jumpMs) <= JUMP_MS) return null;
      if (jumpMs > -SLEPT_MS) return dueAt();
      // Set back as far as this, the clock comes by its times again.
      lastAt = -Infinity;
      return plan();
    },
  };
}
