/**
 * Measures the cost of a change, and the cost of no change, with more and more configs. This project's monitor and the
 * `emptiest` program run at the same time, with the same number of configs.
 */

import { parseArgs } from "@std/cli/parse-args";
import { benchmark } from "./benchmark.ts";
import { fastestShell, type Measure, timed, writeProgram } from "./measures.ts";
import { type Peer, PEERS } from "./peers.ts";
import { pause, print, ProcessorTime } from "./processes.ts";
import type { Supervisor } from "./supervisor.ts";
import { type Samples, table } from "./table.ts";

const HELP = `Usage: deno task bench:growth [options]

  --additions N   how many configs to add, one after the other [20]
  --seconds N     how long to change nothing after that, twice [40]`;

/** The number of configs that already exist, and whether their processes run. */
interface Crowd {
  readonly count: number;
  readonly enabled: boolean;
}

const CROWDS: readonly Crowd[] = [
  { count: 10, enabled: false },
  { count: 100, enabled: false },
  { count: 1000, enabled: false },
  { count: 10_000, enabled: false },
  { count: 100, enabled: true },
];

/** A file that was written up to two seconds before it was read is read again. */
const SETTLE_MS = 2100;

/** After this time, the full scan, every 10 s, has read all added configs again. */
const REST_MS = 15_000;

const { help, ...given } = parseArgs(Deno.args, { boolean: ["help"], string: ["additions", "seconds"] });
const [additions, seconds] = [Number(given.additions ?? 20), Number(given.seconds ?? 40)];
if (help || !(additions >= 1) || !(seconds >= 1)) {
  print(HELP);
  Deno.exit(help ? 0 : 2);
}
await benchmark("growth", main);

async function main(home: string): Promise<number> {
  const peers = PEERS.filter(({ name }) => ["ncolony", "emptiest"].includes(name));
  const shell = await fastestShell();
  for (const crowd of CROWDS) print(`${await measure(home, peers, crowd, shell)}\n`);
  return 0;
}

/** Measures all peers with one crowd. Returns a table. */
async function measure(home: string, peers: readonly Peer[], crowd: Crowd, shell: string): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const runs = peers.map(({ name, make }) => ({ name, supervisor: stack.use(make(home)) }));
  for (const { supervisor } of runs) await configure(supervisor, crowd, shell);
  await pause(SETTLE_MS);
  for (const { supervisor } of runs) await Promise.all([supervisor.born("first"), supervisor.start()]);
  await pause(SETTLE_MS);
  const metered = runs.map((run) => ({ ...run, time: new ProcessorTime(run.supervisor.root()!) }));
  const spent = async (during: () => Promise<void>) => {
    const before = await Promise.all(metered.map(({ time }) => time.read()));
    await during();
    return await Promise.all(metered.map(async ({ time }, i) => await time.read() - before[i]));
  };
  const samples: Samples = Object.fromEntries(peers.map(({ name }) => [name, { added: [], adding: [], idle: [] }]));
  const keep = (measure: string, values: number[]) => {
    for (const [i, { name }] of metered.entries()) samples[name][measure].push(values[i]);
  };
  const adding = await spent(async () => {
    for (let i = 0; i < additions; i++) {
      for (const { name, supervisor } of metered) {
        samples[name].added.push(await timed(supervisor, [`added${i}`], () => add(supervisor, `added${i}`)));
        await pause(100);
      }
    }
  });
  keep("adding", adding);
  await pause(REST_MS);
  for (let turn = 0; turn < 2; turn++) {
    const idle = await spent(async () => {
      for (let second = 0; second < seconds; second++) {
        await pause(1000);
        await Promise.all(metered.map(({ time }) => time.read()));
      }
    });
    keep("idle", idle);
  }
  const others = `${crowd.count} ${crowd.enabled ? "running" : "disabled"}`;
  const measures: Measure[] = [
    { name: "added", title: `${others}: config written → child`, unit: "ms" },
    { name: "adding", title: `CPU time for ${additions} of these`, unit: "ms" },
    { name: "idle", title: `CPU time for ${seconds} s without a change`, unit: "ms" },
  ];
  return table(measures, peers.map(({ name }) => name), samples);
}

async function configure(supervisor: Supervisor, { count, enabled }: Crowd, shell: string): Promise<void> {
  writeProgram(supervisor, "child", shell);
  await supervisor.prepare();
  for (let i = 0; i < count; i++) {
    const args = [supervisor.path("child"), `other${i}`];
    supervisor.write(`config/other${i}`, JSON.stringify({ args, "ncolony.monitor": { enabled } }));
  }
  add(supervisor, "first");
}

function add(supervisor: Supervisor, name: string): void {
  supervisor.configure(name, [supervisor.path("child"), name]);
}
