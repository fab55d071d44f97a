import { assertEquals, fail } from "@std/assert";
import { deadline, type ProcessEvent, type RestartPolicy, type Spec } from "@ncolony/core";
import { Random } from "./random.ts";
import { freeze, sample } from "./samples.ts";
import { BrokenPromise, type Promised, PROMISES, World } from "./world.ts";

const SEED = 1_709_000;
const HISTORIES = 30_000;

/** The configs that the process may have. They also differ in how it is stopped. */
const SPECS: readonly [Spec, ...Spec[]] = freeze([
  sample("web", { args: ["a"] }),
  sample("web", { args: ["b"], "ncolony.monitor": { stop_signal: "SIGINT", kill_time: 0.5 } }),
  sample("web", { args: ["c"], "ncolony.monitor": { stop_signal: "SIGHUP", kill_time: 0 } }),
]);

/** The result of all histories: the visited cells, and for each promise the first history that breaks it. */
interface Lives {
  readonly cells: Set<string>;
  readonly reports: Map<Promised, string>;
}

let lives: Lives | undefined;

Deno.test(`step() visits every possible cell of its table in ${HISTORIES} histories from seed ${SEED}`, () => {
  const requests = ["kill", "restart", "tick", "unwanted", "wanted"];
  const ends = ["group-exited", "leader-exited"];
  assertEquals(
    [...liveAll().cells].sort(),
    [
      ...requests.map((event) => `gone ${event}`),
      ...[...ends, ...requests].map((event) => `killing ${event}`),
      ...["leader-exited", ...requests].map((event) => `running ${event}`),
      ...[...ends, ...requests].map((event) => `stopping ${event}`),
      ...requests.map((event) => `waiting ${event}`),
    ].sort(),
  );
});

for (const promised of PROMISES) {
  Deno.test(`step() ${promised}`, () => {
    const report = liveAll().reports.get(promised);
    if (report !== undefined) fail(report);
  });
}

function liveAll(): Lives {
  if (lives !== undefined) return lives;
  lives = { cells: new Set(), reports: new Map() };
  for (let seed = SEED; seed < SEED + HISTORIES; seed++) live(seed, lives);
  return lives;
}

/** Runs one history, and adds a report if it breaks a promise. */
function live(seed: number, { cells, reports }: Lives): void {
  const random = new Random(seed);
  const policy: RestartPolicy = freeze({
    thresholdMs: random.pick([0, 1, 1000, 1000, 1000]),
    minDelayMs: random.pick([0, 1, 300, 1000, 5000]),
    maxDelayMs: random.pick([0, 1000, 3500, 3_600_000]),
    killTimeMs: random.pick([0, 1, 5000, 5000]),
  });
  const world = new World(policy, random, cells);
  try {
    const meddling = random.pick([0.02, 0.2, 0.5]);
    world.happen({ type: "wanted", spec: SPECS[0] });
    const events = 30 + random.below(31);
    while (world.events < events) act(world, random, policy, meddling);
    world.failureRate = 0;
    if (random.chance(0.5)) world.settle();
    world.happen({ type: "unwanted" });
    world.settle();
  } catch (error) {
    if (!(error instanceof BrokenPromise)) throw error;
    if (reports.has(error.promised)) return;
    const title = `seed ${seed} breaks "${error.promised}": ${error.message}`;
    reports.set(error.promised, [title, JSON.stringify(policy), ...world.lines].join("\n  "));
  }
}

/** Makes one thing happen: a request arrives, a child exits, its exit is reported, or time passes. */
function act(world: World, random: Random, policy: RestartPolicy, meddling: number): void {
  if (random.chance(meddling)) return world.happen(request(random));
  const news = world.child?.news() ?? null;
  if (news !== null && random.chance(0.8)) return world.happen(news);
  if (random.chance(0.5) && world.age()) return;
  const due = deadline(world.state);
  const then = due < Infinity && random.chance(0.7)
    ? due + random.pick([-1, 0, 0, 0, 1, random.below(5000)])
    : world.now + random.pick([0, 1, policy.thresholdMs - 1, policy.thresholdMs, random.below(3000)]);
  world.now = Math.max(world.now, then);
  if (random.chance(0.9)) world.happen({ type: "tick" });
}

function request(random: Random): ProcessEvent {
  const type = random.pick<"wanted" | "unwanted" | "restart" | "kill">([
    "wanted",
    "wanted",
    "unwanted",
    "restart",
    "restart",
    "kill",
  ]);
  return type === "wanted" ? { type, spec: random.pick(SPECS) } : { type };
}
