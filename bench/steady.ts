/**
 * Measures crashes and restarts in the long run. All supervisors run at the same time, and they act one after the
 * other.
 */

import { parseArgs } from "@std/cli/parse-args";
import { benchmark } from "./benchmark.ts";
import { fastestShell, MEASURES, timed, writeProgram } from "./measures.ts";
import { installed, PEERS } from "./peers.ts";
import { pause, print, signal } from "./processes.ts";
import type { Supervisor } from "./supervisor.ts";
import { type Samples, table } from "./table.ts";

const HELP = `Usage: deno task bench:steady [options]

  --turns N     how often each supervisor acts, in each way [40]
  --peers A,B   of the installed ones [all but pm2, supervisord and ncolony-status]`;

/** What makes a supervisor act, by measure. */
const ACTS: Record<string, (supervisor: Supervisor) => Promise<void> | void> = {
  crash: (supervisor) => signal([supervisor.births.pids.get("child")!], "SIGKILL"),
  restart: (supervisor) => supervisor.restart("child"),
};

/** Supervisors delay the restart of younger children, as they should. In milliseconds. */
const MIN_LIFE_MS = 2000;

const { help, turns: given = "40", peers: names } = parseArgs(Deno.args, {
  boolean: ["help"],
  string: ["turns", "peers"],
}) as { help?: boolean; turns?: string; peers?: string };
const turns = Number(given);
const unknown = names?.split(",").find((name) => !PEERS.some((peer) => peer.name === name));
if (help || !(turns >= 1) || unknown !== undefined) {
  if (unknown !== undefined) print(`--peers: there is no ${JSON.stringify(unknown)}\n`);
  print(HELP);
  Deno.exit(help ? 0 : 2);
}
await benchmark("steady", main);

async function main(home: string): Promise<number> {
  const asked = PEERS.filter(({ name, takes = () => true }) => {
    return takes("crash") &&
      (names?.split(",").includes(name) ?? !["pm2", "supervisord", "ncolony-status"].includes(name));
  });
  const peers = await installed(asked);
  const shell = await fastestShell();
  const samples: Samples = Object.fromEntries(peers.map(({ name }) => [name, { crash: [], restart: [] }]));
  await using stack = new AsyncDisposableStack();
  const supervisors = peers.map(({ name, make }) => ({ name, supervisor: stack.use(make(home)) }));
  for (const { supervisor } of supervisors) {
    writeProgram(supervisor, "child", shell);
    await supervisor.prepare();
    supervisor.configure("child", [supervisor.path("child"), "child"]);
    // runsvdir waits if its directory was changed in the same second.
    await pause(1200);
    await Promise.all([supervisor.born("child"), supervisor.start()]);
  }
  for (let turn = 0; turn < turns; turn++) {
    for (const [measure, act] of Object.entries(ACTS)) {
      for (const { name, supervisor } of supervisors) {
        await pause(MIN_LIFE_MS / supervisors.length);
        samples[name][measure].push(await timed(supervisor, ["child"], () => act(supervisor)));
      }
    }
  }
  const measures = MEASURES.filter(({ name }) => name in ACTS);
  print(table(measures, peers.map(({ name }) => name), samples));
  return 0;
}
