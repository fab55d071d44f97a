import type { StopSignal } from "./types.ts";

/** It was asked to end. */
export interface Asked {
  /** Tells the states apart. */
  readonly type: "stopping";
  /** When it was asked to end. */
  readonly stoppedAt: number;
  /** When it gets SIGKILL. */
  readonly killAt: number;
}

/** It got SIGKILL. */
export interface Killed {
  /** Tells the states apart. */
  readonly type: "killing";
  /** When it got SIGKILL. */
  readonly killedAt: number;
  /** When a person is told that it still does not end. */
  readonly reportAt: number;
}

/** What must be done to end it. */
export type EndEffect =
  /** Send it to whoever is left, which may be nobody. */
  | { readonly type: "signal"; readonly signal: StopSignal }
  /** Tell a person who is left so long after SIGKILL. */
  | { readonly type: "report-stuck"; readonly afterMs: number };

/** What does not end within this time after SIGKILL is stuck. */
export const STUCK_MS = 5000;

/** A person is told of it again after each such time. */
export const STUCK_AGAIN_MS = 10_000;

/** Asks a process, or a scheduled run, to end. */
export function ask(signal: StopSignal, now: number, killAt: number): readonly [Asked, readonly EndEffect[]] {
  return [{ type: "stopping", stoppedAt: now, killAt }, [{ type: "signal", signal }]];
}

/** Sends SIGKILL to it. */
export function kill(now: number): readonly [Killed, readonly EndEffect[]] {
  return [{ type: "killing", killedAt: now, reportAt: now + STUCK_MS }, [{ type: "signal", signal: "SIGKILL" }]];
}

/** When time matters to it again. */
export function endDeadline(end: Asked | Killed): number {
  return end.type === "stopping" ? end.killAt : end.reportAt;
}

/** Time passed: it gets SIGKILL after its kill time; if that does not end it, a person is told who is left. */
export function passTime(end: Asked | Killed, now: number): readonly [Asked | Killed, readonly EndEffect[]] {
  if (now < endDeadline(end)) return [end, []];
  if (end.type === "stopping") return kill(now);
  return [{ type: "killing", killedAt: end.killedAt, reportAt: now + STUCK_AGAIN_MS }, [reportStuck(end, now)]];
}

/** Tells a person who is left. */
export function reportStuck({ killedAt }: Killed, now: number): EndEffect {
  return { type: "report-stuck", afterMs: now - killedAt };
}
