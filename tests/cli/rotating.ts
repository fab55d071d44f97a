/** Follows a log while its files are rotated. */

import { assert, assertEquals } from "@std/assert";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { Program } from "./program.ts";
import { lent, StatusColony } from "./status_files.ts";
import { run, sh, toolCommand } from "./tools.ts";

/** A colony with logs. */
export function colonyIn(
  dir: TempDir,
  config: Readonly<Record<string, unknown>>,
  ...args: string[]
): StatusColony {
  return new StatusColony({ args: ["--logs", dir.file("logs"), ...args], config }, lent(dir));
}

/** Returns the words that run `ctl logs`. */
export const words = (dir: TempDir, ...args: string[]): string[] => [
  ...toolCommand("ctl/mod.ts", ["--allow-read"]),
  "--logs",
  dir.file("logs"),
  "logs",
  ...args,
];

/** Writes batches of numbered lines, each after the one before was shown by two programs, and compares what they showed. */
export async function followRotations(size: number, batches: number): Promise<void> {
  using dir = tempDir();
  const numbered = (number: number) => `${number}`.padStart(100, "0");
  // The oldest file is removed after 100 rotations, and a batch has fewer.
  const fifo = dir.file("fifo");
  assertEquals((await run(["mkfifo", fifo])).code, 0);
  const script = `i=0
    while [ $i -lt ${batches} ]; do
      seq -f %0100.0f $((i * ${size})) $((i * ${size} + ${size - 1}))
      i=$((i + 1))
      # Who wrote last may still have the FIFO open, and then nothing is read.
      until read go < ${fifo}; do :; done
    done
    exec sleep 1000`;
  const config = { early: { args: sh("while :; do echo tick; sleep 0.2; done") } };
  await using colony = colonyIn(dir, config, "--log-size", "4096", "--log-keep", "100");
  await colony.inState("early", "running");
  await using all = new Program(words(dir, "-f", "-n", "0"));
  await using named = new Program(words(dir, "-f", "-n", "1000000", "numbers"));
  // Now it follows.
  await all.waitFor(/^early \| tick$/);
  colony.put("numbers", { args: sh(script) });
  const isNumber = (line: string) => line.startsWith("numbers | ");
  for (let number = 1; number <= batches; number++) {
    const last = numbered(number * size - 1);
    await until(
      `${last} is shown`,
      () => named.stdout.at(-1) === last && all.stdout.findLast(isNumber) === `numbers | ${last}`,
    );
    assertEquals((await run(["sh", "-c", `echo go > ${fifo}`])).code, 0);
  }
  const expected = Array.from({ length: batches * size }, (_, number) => numbered(number));
  const joined = all.stdout.filter(isNumber);
  assertEquals([named.stderr, all.stderr], [[], []]);
  assertEquals([named.stdout.length, joined.length], [expected.length, expected.length]);
  assert(expected.every((line, at) => named.stdout[at] === line && joined[at] === `numbers | ${line}`));
}
