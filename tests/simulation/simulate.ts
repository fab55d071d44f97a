/**
 * Performs random histories on simulated machines, and checks the monitor's promises after each.
 *
 * `deno task simulate [--seeds N] [--from SEED]` performs N histories (default 10,000), starting with a seed
 * (default 1). A seed always produces the same history. Prints the shortest form of the first history that breaks a
 * promise, and exits with 1.
 */

import { parseArgs } from "@std/cli/parse-args";
import { historyOf, play, report } from "./history.ts";

const { seeds = "10000", from = "1" } = parseArgs(Deno.args, { string: ["seeds", "from"] });
const [first, count] = [Number(from), Number(seeds)];
if (!Number.isInteger(first) || !Number.isInteger(count)) {
  print("Usage: deno task simulate [--seeds N] [--from SEED]");
  Deno.exit(2);
}
for (let seed = first; seed < first + count; seed++) {
  const broken = await play(historyOf(seed));
  if (broken !== null) {
    print(await report(seed, broken));
    Deno.exit(1);
  }
  if ((seed - first + 1) % 10_000 === 0) print(`${seed - first + 1} histories`);
}
print(`${count} histories from seed ${first}: every promise held`);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
