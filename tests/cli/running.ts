import { nameFault } from "@ncolony/core";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Colony } from "./harness.ts";
import { namesIn, run } from "./tools.ts";

/** Writes the environment of each child of a process, followed by one more NUL. */
const ENVIRONMENTS = 'for pid in $(cat /proc/$0/task/*/children); do cat /proc/$pid/environ; printf "\\0"; done';

/** Waits until each config file has exactly one child, started with the file's present text. */
export async function untilAllRunAsWritten(colony: Colony): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await colony.fence();
    if ((await running(colony)).join() !== written(colony).join()) continue;
    // By then, the lines about all of them have been read too.
    return await colony.fence();
  }
  assertEquals(await running(colony), written(colony));
}

/** Returns the names of all processes that were ever started, without the fences. */
export function everStarted(colony: Colony): string[] {
  const names = colony.lines.map((line) => /INFO ([^:]+): \w+ -> running/.exec(line)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined && !isFence(name)))].sort() as string[];
}

/** Returns the name and config of each child that is alive. */
async function running({ process }: Colony): Promise<string[]> {
  const { stdout } = await run(["sh", "-c", ENVIRONMENTS, `${process.pid}`]);
  const environments = stdout.split("\0\0").map((it) => new Map(it.split("\0").map((line) => split(line))));
  return environments.filter((it) => it.has("NCOLONY_NAME") && !isFence(it.get("NCOLONY_NAME")!))
    .map((it) => `${it.get("NCOLONY_NAME")} ${it.get("NCOLONY_CONFIG")}`).sort();
}

function split(line: string): [name: string, value: string] {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)];
}

function written({ config }: Colony): string[] {
  const names = namesIn(config).filter((name) => nameFault(name) === null && !isFence(name));
  return names.map((name) => `${name} ${Deno.readTextFileSync(join(config, name))}`).sort();
}

function isFence(name: string): boolean {
  return name.startsWith("fence-");
}
