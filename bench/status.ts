/**
 * Measures with many processes how soon their status is written, and how long ctl takes to show it, beside an empty
 * program. What a status directory costs at a restart: `deno task bench:steady --peers ncolony,ncolony-status`.
 */

import { parseArgs } from "@std/cli/parse-args";
import { benchmark } from "./benchmark.ts";
import { fastestShell, writeProgram } from "./measures.ts";
import { NColonyStatus } from "./ncolony.ts";
import { pause, print, run } from "./processes.ts";
import { median } from "./table.ts";

const HELP = `Usage: deno task bench:status [options]

  --processes N   how many processes to run [1000]
  --rounds N      how often to run ctl [20]`;

const { help, ...given } = parseArgs(Deno.args, { boolean: ["help"], string: ["processes", "rounds"] });
const [processes, rounds] = [Number(given.processes ?? 1000), Number(given.rounds ?? 20)];
if (help || !(processes >= 1) || !(rounds >= 1)) {
  print(HELP);
  Deno.exit(help ? 0 : 2);
}
await benchmark("status", main);

async function main(home: string): Promise<number> {
  await using supervisor = new NColonyStatus(home);
  writeProgram(supervisor, "child", await fastestShell());
  supervisor.prepare();
  const names = Array.from({ length: processes }, (_, i) => `child${i}`);
  for (const name of names) supervisor.configure(name, [supervisor.path("child"), name]);
  const [born] = await Promise.all([supervisor.born(...names), supervisor.start()]);
  while (!isWritten(supervisor, names)) await pause(5);
  print(`${processes} processes run; all files are written ${(performance.now() - born).toFixed(0)} ms later`);
  await pause(3000);

  const programs = {
    "an empty program": supervisor.nothing(),
    "ctl status": supervisor.ctl("status"),
    "ctl status of one": supervisor.ctl("status", names[0]),
    "ctl status --json": supervisor.ctl("status", "--json"),
    "ctl metrics": supervisor.ctl("metrics"),
    "ctl metrics of none": supervisor.ctl("metrics", "--status", supervisor.path("messages")),
    "ctl why": supervisor.ctl("why", names[0]),
    "ctl restart": supervisor.ctl("restart", names[0]),
  };
  const samples = Object.fromEntries(Object.keys(programs).map((name): [string, number[]] => [name, []]));
  // They take turns, so that other work on the machine affects all alike. The first time, Deno compiles them.
  for (let round = -1; round < rounds; round++) {
    for (const [name, program] of Object.entries(programs)) {
      const begun = performance.now();
      await run(program);
      if (round >= 0) samples[name].push(performance.now() - begun);
    }
  }
  const least = median(samples["an empty program"]);
  print("\n|  | ms | more than an empty program |\n| --- | --: | --: |");
  for (const [name, times] of Object.entries(samples)) {
    print(`| ${name} | ${median(times).toFixed(1)} | ${(median(times) - least).toFixed(1)} |`);
  }
  return 0;
}

/** Whether the status of each process is that it runs. */
function isWritten(supervisor: NColonyStatus, names: readonly string[]): boolean {
  try {
    return names.every((name) => /"state":"running"/.test(Deno.readTextFileSync(supervisor.path("status", name))));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
