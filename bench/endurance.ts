/**
 * Runs many children under the monitor, kills some of them every second, and measures how long their restarts take and
 * how the monitor's memory grows.
 */

import { parseArgs } from "@std/cli/parse-args";
import { benchmark } from "./benchmark.ts";
import { fastestShell, writeProgram } from "./measures.ts";
import { PEERS } from "./peers.ts";
import { pause, print, proportionalSetSize, signal, within } from "./processes.ts";
import { mean, percentile } from "./table.ts";

const HELP = `Usage: deno task bench:endurance [options]

  --minutes N    how long to run [60]
  --children N   how many children run at a time [2000]
  --deaths N     how many random children to kill every second [10]`;

/** Younger children are not killed: the monitor would delay their restart, as it should. In milliseconds. */
const MIN_LIFE_MS = 2000;

/**
 * The memory of a minute is the mean of this many samples. V8 lets 8 MiB of old objects pile up before it collects
 * them, so a single sample only shows how long ago it last did.
 */
const SAMPLES_PER_MINUTE = 10;

/** The limits: how long a restart may take, and how much the memory may grow after the second minute. */
const MAX_LATE_MS = 100;
const MAX_GROWTH = 0.05;

const { help, ...given } = parseArgs(Deno.args, { boolean: ["help"], string: ["minutes", "children", "deaths"] });
if (help) {
  print(HELP);
  Deno.exit(0);
}
// The last minute is compared with the second one.
const minutes = atLeast(3, "minutes", 60);
const count = atLeast(1, "children", 2000);
const deaths = atLeast(1, "deaths", 10);

await benchmark("endurance", main);

function atLeast(least: number, option: keyof typeof given & string, otherwise: number): number {
  const value = Number(given[option] ?? otherwise);
  if (value >= least) return value;
  print(`--${option} must be at least ${least}: got ${given[option]}\n\n${HELP}`);
  Deno.exit(2);
}

async function main(home: string): Promise<number> {
  await using monitor = PEERS[0].make(home);
  writeProgram(monitor, "child", await fastestShell());
  await monitor.prepare();
  const names = Array.from({ length: count }, (_, i) => `child${i}`);
  for (const name of names) monitor.configure(name, [monitor.path("child"), name]);
  const began = performance.now();
  const [ready] = await Promise.all([monitor.born(...names), monitor.start()]);
  print(`${count} children are running after ${((ready - began) / 1000).toFixed(1)} s`);
  const bornAt = new Map(names.map((name) => [name, ready]));
  const late: number[] = [];
  const memory: number[] = [];
  let turns = 0;
  const kill = async (name: string) => {
    bornAt.delete(name);
    const next = monitor.births.next(name);
    const at = performance.now();
    signal([monitor.births.pids.get(name)!], "SIGKILL");
    const birth = await within(60, `the next ${name}`, next);
    late.push(birth.at - at);
    bornAt.set(name, birth.at);
  };
  const failures: unknown[] = [];
  const start = performance.now();
  for (let minute = 1; minute <= minutes; minute++) {
    const before = late.length;
    const samples: number[] = [];
    while (performance.now() < start + minute * 60_000) {
      const candidates = names.filter((name) => performance.now() - (bornAt.get(name) ?? Infinity) > MIN_LIFE_MS);
      const name = candidates[Math.floor(Math.random() * candidates.length)];
      if (name !== undefined) kill(name).catch((error) => failures.push(error));
      turns++;
      const isDue = performance.now() >= start + (minute - 1 + samples.length / SAMPLES_PER_MINUTE) * 60_000;
      if (isDue) samples.push(await proportionalSetSize([monitor.root()!]));
      await pause(Math.max(0, start + turns * 1000 / deaths - performance.now()));
    }
    memory.push(mean(samples));
    const some = late.slice(before);
    const [middle, high, most] = [0.5, 0.99, 1].map((share) => percentile(some, share).toFixed(1));
    print(
      `minute ${minute}: PSS ${memory.at(-1)!.toFixed(1)} MiB (${Math.min(...samples).toFixed(1)} to ${
        Math.max(...samples).toFixed(1)
      }), restart after ${middle} ms (median), ${high} ms (p99), ${most} ms (max)`,
    );
  }
  if (failures.length > 0) throw new AggregateError(failures, "Some children were not started again");
  const [first, last] = [memory[1], memory.at(-1)!];
  const growth = last / first - 1;
  const p99 = percentile(late, 0.99);
  print(
    `${late.length} deaths in ${minutes} minutes: restart after ${percentile(late, 0.5).toFixed(1)} ms (median), ${
      p99.toFixed(1)
    } ms (p99)`,
  );
  print(
    `PSS ${first.toFixed(1)} MiB in the second minute, ${last.toFixed(1)} MiB in the last: ${
      (growth * 100).toFixed(1)
    } % growth`,
  );
  print(`stopped in ${(await monitor.stop()).toFixed(0)} ms`);
  return p99 <= MAX_LATE_MS && growth <= MAX_GROWTH ? 0 : 1;
}
