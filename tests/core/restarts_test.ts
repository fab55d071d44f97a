import { assertEquals, assertLessOrEqual } from "@std/assert";
import { deadline, GONE, type ProcessEvent, type ProcessState, type RestartPolicy, step } from "@ncolony/core";
import recordings from "../golden/restarts.json" with { type: "json" };
import { sample } from "./samples.ts";

/** The tolerance for each start so far, in milliseconds. The clock of the recording advanced in steps of 2 ms. */
const TOLERANCE_MS = 10;

for (const [index, recording] of recordings.entries()) {
  const { threshold, minRestartDelay, maxRestartDelay, lives, starts } = recording;
  const policy: RestartPolicy = {
    thresholdMs: threshold * 1000,
    minDelayMs: minRestartDelay * 1000,
    maxDelayMs: maxRestartDelay * 1000,
    killTimeMs: 5000,
  };
  Deno.test(`step() starts a process when Python NColony does, in recording ${index + 1}`, () => {
    const actual = startsOf(lives.map((seconds) => seconds * 1000), policy);
    assertEquals(actual.length, starts.length);
    for (const [run, start] of actual.entries()) {
      const away = Math.abs(start - starts[run]! * 1000);
      assertLessOrEqual(away, TOLERANCE_MS * (run + 1), `run ${run + 1} starts at ${start} ms, not ${starts[run]} s`);
    }
  });
}

/** Returns when a process is started if its i-th run lives `lives[i]` milliseconds and its last run does not end. */
function startsOf(lives: readonly number[], policy: RestartPolicy): number[] {
  const starts: number[] = [];
  let state: ProcessState = GONE;
  let now = 0;
  const happen = (event: ProcessEvent) => {
    const [after, effects] = step(state, event, now, policy);
    state = after;
    starts.push(...effects.filter(({ type }) => type === "spawn").map(() => now));
  };
  happen({ type: "wanted", spec: sample("web") });
  for (const life of lives) {
    now += life;
    happen({ type: "leader-exited", exit: { type: "code", code: 1 } });
    happen({ type: "group-exited" });
    if (deadline(state) === Infinity) continue;
    now = deadline(state);
    happen({ type: "tick" });
  }
  return starts;
}
