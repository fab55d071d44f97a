import { assertEquals, assertLessOrEqual } from "@std/assert";
import recordings from "../golden/restarts.json" with { type: "json" };
import { SupervisorWorld } from "./worlds.ts";

/** The tolerance for each start so far, in milliseconds. The clock of the recording advanced in steps of 2 ms. */
const TOLERANCE_MS = 10;

for (const [index, recording] of recordings.entries()) {
  const { threshold, minRestartDelay, maxRestartDelay, lives, starts } = recording;
  Deno.test(`Supervisor starts a process when Python NColony does, in recording ${index + 1}`, async () => {
    await using world = new SupervisorWorld({
      thresholdMs: threshold * 1000,
      minDelayMs: minRestartDelay * 1000,
      maxDelayMs: maxRestartDelay * 1000,
    });
    const { children, clock } = world.host;
    // Timers that fire a moment too early must make no difference.
    clock.earlyMs = 0.5;
    children.script("web", (run) => {
      const life = lives[run];
      return life === undefined ? {} : { livesMs: life * 1000, exit: { type: "code", code: 1 } };
    });
    const begin = clock.now();
    await world.want("web");
    await world.advance(100_000);
    assertEquals(children.started.length, starts.length);
    for (const [run, { since }] of children.started.entries()) {
      const away = Math.abs(since - begin - starts[run]! * 1000);
      assertLessOrEqual(away, TOLERANCE_MS * (run + 1), `run ${run + 1} of ${JSON.stringify(recording)}`);
    }
    assertEquals(children.running(), ["web"]);
  });
}
