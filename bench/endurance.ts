/**
 * Keeps many children under the monitor, kills some of them every second, and looks at how late the next ones start and
 * at what becomes of the monitor's memory.
 */

import { parseArgs } from "@std/cli/parse-args";
import { benchmark } from "./benchmark.ts";
import { fastestShell, writeProgram } from "./measures.ts";
import { PEERS } from "./peers.ts";
import { pause, print, proportionalSetSize, signal, within } from "./processes.ts";
import { mean, percentile } from "./table.ts";

const HELP = `Usage: deno task bench:endurance [options]

  --minutes N    how long [60]
  --children N   how many live at a time [2000]
  --deaths N     how many are killed every second, at random [10]`;

/** Who has not lived so long is not killed: the monitor would let the next one wait, as it should. */
const MIN_LIFE_MS = 2000;

/**
 * The memory of a minute is the mean of so many looks at it: V8 lets 8 MiB of old objects pile up before it collects them,
 * so that one look tells how long ago it last did.
 */
const LOOKS_PER_MINUTE = 10;

/** How late the next child may start, and how much the memory may grow after the first minute. */
const MAX_LATE_MS = 100;
const MAX_GROWTH = 0.05;

const { help, ...given } = parseArgs(Deno.args, { boolean: ["help"], string: ["minutes", "children", "deaths"] });
if (help) {
  print(HELP);
  Deno.exit(0);
}
// The second minute, and a later one to compare it with.
const minutes = atLeast(3, "minutes", 60);
const count = atLeast(1, "children", 2000);
const deaths = atLeast(1, "deaths", 10);

await benchmark("endurance", main);

function atLeast(least: number, option: keyof typeof given & string, otherwise: number): number {
  const value = Number(given[option] ?? otherwise);
  if (value >= least) return value;
  print(`--${option} must be a number from ${least}: got ${given[option]}\n\n${HELP}`);
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
  print(`${count} children run after ${((ready - began) / 1000).toFixed(1)} s`);
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
    const looks: number[] = [];
    while (performance.now() < start + minute * 60_000) {
      const candidates = names.filter((name) => performance.now() - (bornAt.get(name) ?? Infinity) > MIN_LIFE_MS);
      const name = candidates[Math.floor(Math.random() * candidates.length)];
      if (name !== undefined) kill(name).catch((error) => failures.push(error));
      turns++;
      const isDue = performance.now() >= start + (minute - 1 + looks.length / LOOKS_PER_MINUTE) * 60_000;
      if (isDue) looks.push(await proportionalSetSize([monitor.root()!]));
      await pause(Math.max(0, start + turns * 1000 / deaths - performance.now()));
    }
    memory.push(mean(looks));
    const some = late.slice(before);
    const [middle, high, most] = [0.5, 0.99, 1].map((share) => percentile(some, share).toFixed(1));
    print(
      `minute ${minute}: PSS ${memory.at(-1)!.toFixed(1)} MiB (${Math.min(...looks).toFixed(1)} to ${
        Math.max(...looks).toFixed(1)
      }), next start after ${middle} ms, p99 ${high}, most ${most}`,
    );
  }
  if (failures.length > 0) throw new AggregateError(failures, "Some children were not started again");
  const [first, last] = [memory[1], memory.at(-1)!];
  const growth = last / first - 1;
  const p99 = percentile(late, 0.99);
  print(
    `${late.length} deaths in ${minutes} minutes: next start after ${percentile(late, 0.5).toFixed(1)} ms, p99 ${
      p99.toFixed(1)
    } ms`,
  );
  print(
    `PSS ${first.toFixed(1)} MiB in the second minute, ${last.toFixed(1)} in the last: ${(growth * 100).toFixed(1)} %`,
  );
  print(`stopped in ${(await monitor.stop()).toFixed(0)} ms`);
  return p99 <= MAX_LATE_MS && growth <= MAX_GROWTH ? 0 : 1;
}
