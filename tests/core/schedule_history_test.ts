import { assertEquals } from "@std/assert";
import type { SchedulePolicy } from "@ncolony/core";
import { Random } from "./random.ts";
import { freeze } from "./samples.ts";
import { World } from "./schedule_world.ts";

const SEED = 3_018_000;
const HISTORIES = 10_000;

const cells = new Set<string>();

Deno.test(`stepSchedule() keeps its promises in ${HISTORIES} histories from seed ${SEED}`, () => {
  for (let seed = SEED; seed < SEED + HISTORIES; seed++) live(seed);
});

Deno.test("stepSchedule() visits every possible cell of its table in these histories", () => {
  const asked = ["kill", "plan", "stop", "tick"];
  const ends = ["group-exited", "leader-exited"];
  assertEquals(
    [...cells].filter((cell) => !cell.startsWith("ended")).sort(),
    [
      ...asked.map((event) => `idle ${event}`),
      ...[...ends, ...asked].map((event) => `killing ${event}`),
      ...["leader-exited", ...asked].map((event) => `running ${event}`),
      ...[...ends, ...asked].map((event) => `stopping ${event}`),
    ].sort(),
  );
});

/** Runs one history: some runs, then a stop. In the end no process is left. */
function live(seed: number): void {
  const random = new Random(seed);
  const policy: SchedulePolicy = freeze({
    timeoutMs: random.pick([1, 50, 300, 2000]),
    graceMs: random.pick([0, 1, 100, 1000]),
    stopMs: random.pick([0, 50, 500, Infinity, Infinity]),
    maxFailures: random.pick([1, 2, 3, Infinity, Infinity]),
    isOnce: random.chance(0.1),
  });
  const frequencyMs = random.pick([1, 70, 500, 5000]);
  const world = new World(policy, frequencyMs, random, cells);
  try {
    for (let steps = random.below(120); steps > 0; steps--) {
      if (random.chance(0.01)) world.stop(random.pick(["stop", "kill"]));
      if (!world.pass()) break;
    }
    const kinds = random.pick<("stop" | "kill")[]>([["stop"], ["kill"], ["stop", "kill"], ["stop", "stop"]]);
    for (const kind of kinds) world.stop(kind);
    for (let steps = 0; world.pass(); steps++) if (steps > 10_000) throw new Error("it never ends");
    assertEquals(world.state.type, "ended", "a stop leads to the end");
  } catch (error) {
    throw new Error(
      [`seed ${seed}, ${JSON.stringify({ policy, frequencyMs })}`, ...world.lines.slice(-30)].join("\n  "),
      {
        cause: error,
      },
    );
  }
}
