/**
 * Measures this project and its peers side by side.
 *
 * The peers take turns, round by round, so that other load on the machine affects all of them alike.
 */

import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { benchmark } from "./benchmark.ts";
import { chart } from "./chart.ts";
import {
  fastestShell,
  MEASURES,
  type Numbers,
  type Programs,
  type Scenario,
  SCENARIOS,
  type Size,
  writeBlock,
  writePrograms,
} from "./measures.ts";
import { installed, measuresOf, type Peer, PEERS } from "./peers.ts";
import { hasCommand, Interrupted, print, run } from "./processes.ts";
import { type Samples, table } from "./table.ts";

const HELP = `Usage: deno task bench [options]

  --quick           2 rounds and less output, for a quick test
  --rounds N        how often to take each measure [6]
  --peers A,B       of ${PEERS.map(({ name }) => name).join(", ")} [the installed ones]
  --measures X,Y    of ${MEASURES.map(({ name }) => name).join(", ")} [all]
  --out DIR         where to write results.md, results.json and chart.svg [bench-results]`;

const options = parseArgs(Deno.args, {
  boolean: ["help", "quick"],
  string: ["rounds", "peers", "measures", "out"],
}) as { help?: boolean; quick?: boolean; rounds?: string; peers?: string; measures?: string; out?: string };
if (options.help) {
  print(HELP);
  Deno.exit(0);
}
const size: Size = {
  rounds: options.rounds === undefined ? options.quick ? 2 : 6 : Number(options.rounds),
  logMebibytes: options.quick ? 128 : 512,
};
if (!Number.isInteger(size.rounds) || size.rounds < 1) {
  fail(`--rounds must be a positive integer: got ${options.rounds}`);
}
const wanted = new Set(chosen("measures", MEASURES).map(({ name }) => name));
const asked = chosen("peers", PEERS).filter((peer) => measuresOf(peer, wanted).length > 0);
const out = options.out ?? "bench-results";

await benchmark("bench", main);

async function main(home: string): Promise<number> {
  const peers = await installed(asked);
  for (const { name } of asked.filter((peer) => !peers.includes(peer))) print(`${name} is not installed: skipped`);
  const programs: Programs = { shell: await fastestShell(), block: join(home, "block") };
  writeBlock(programs.block);
  const samples: Samples = Object.fromEntries(peers.map(({ name }) => [name, {}]));
  const failures: string[] = [];
  for (let round = 0; round < size.rounds; round++) {
    for (const scenario of SCENARIOS) {
      const names = scenario.measures.map(({ name }) => name).filter((name) => wanted.has(name));
      // A peer that runs after a Deno program finds Deno's pages in memory. So reverse the order in every other round.
      for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
        const some = measuresOf(peer, names);
        if (some.length === 0) continue;
        print(`round ${round + 1} of ${size.rounds}: ${peer.name}: ${some.join(", ")}`);
        try {
          const numbers = await measure(home, peer, scenario, programs, new Set(some), round);
          for (const name of some) (samples[peer.name][name] ??= []).push(numbers[name]);
        } catch (error) {
          if (error instanceof Interrupted) throw error;
          failures.push(`${peer.name}: ${some.join(", ")}: ${error instanceof Error ? error.message : error}`);
          print(failures.at(-1)!);
        }
      }
    }
  }
  await report(peers, samples, failures);
  return failures.length > 0 ? 1 : 0;
}

async function measure(
  home: string,
  peer: Peer,
  scenario: Scenario,
  programs: Programs,
  names: ReadonlySet<string>,
  round: number,
): Promise<Numbers> {
  await using supervisor = peer.make(home);
  writePrograms(supervisor, programs, size);
  return await scenario.run(supervisor, names, round, size);
}

async function report(peers: readonly Peer[], samples: Samples, failures: readonly string[]): Promise<void> {
  const measures = MEASURES.filter(({ name }) => wanted.has(name));
  const names = peers.map(({ name }) => name);
  const machine = `${
    (await run(["uname", "-srm"])).trim()
  }, ${navigator.hardwareConcurrency} CPUs, Deno ${Deno.version.deno}`;
  const versions = await Promise.all(peers.map(versionOf));
  const lines = [
    table(measures, names, samples),
    "",
    `Medians of ${size.rounds} [least–most], ${new Date().toISOString().slice(0, 10)}, ${machine}.`,
    `Log throughput is for ${size.logMebibytes} MiB in lines of 128 bytes. PSS covers the supervisor and its helpers,`,
    "not the children.",
    "",
    ...peers.map(({ name, note }, i) => `- ${name}${versions[i]}: ${note}`),
    ...failures.map((failure) => `- Failed: ${failure}`),
  ];
  Deno.mkdirSync(out, { recursive: true });
  Deno.writeTextFileSync(join(out, "results.md"), `${lines.join("\n")}\n`);
  Deno.writeTextFileSync(
    join(out, "results.json"),
    `${JSON.stringify({ machine, size, samples, failures }, null, 2)}\n`,
  );
  Deno.writeTextFileSync(join(out, "chart.svg"), chart(measures, names, samples, PEERS[0].name));
  print(`\n${lines.join("\n")}`);
}

/** Returns the version of a peer's Debian package. Empty if it is unknown. */
async function versionOf(peer: Peer): Promise<string> {
  if (peer.package === undefined || !await hasCommand("dpkg-query")) return "";
  try {
    return ` ${await run(["dpkg-query", "-W", "-f", "${Version}", peer.package])}`;
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    return "";
  }
}

function chosen<T extends { name: string }>(option: "peers" | "measures", all: readonly T[]): readonly T[] {
  const names = options[option]?.split(",");
  const unknown = names?.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) fail(`--${option}: there is no ${JSON.stringify(unknown)}`);
  return names === undefined ? all : all.filter(({ name }) => names.includes(name));
}

function fail(message: string): never {
  print(`${message}\n\n${HELP}`);
  Deno.exit(2);
}
