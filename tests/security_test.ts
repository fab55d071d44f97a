/** Each row of the table of docs/security.md is held by tests, which are named here. */

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { namesIn, ROOT } from "./cli/tools.ts";

/** The beginnings of names of tests, as they are written there, of each row. */
const HELD_BY: Readonly<Record<string, readonly string[]>> = {
  "a config, the config directory, or the way to them": [
    "--${option} in a directory of a neighbour's is refused",
    "--${option} through a link in a directory of a neighbour's is refused",
    "a config directory that others may write is refused",
    "a config directory that is swapped for the logs runs nothing of them",
    "a config through a link that a neighbour swaps all the time is never run",
    "a config that others may write is a problem, until that is mended",
  ],
  "the source of a read-only mount": [
    "a read-only mount of a neighbour's directory is no reason to trust it, unless that is asked for",
    "a read-only volume of mode 0777 is trusted where that is asked for",
  ],
  "a command, a directory of its PATH, or its `cwd`": ["${what}, and runs what a neighbour put there"],
  "the messages directory": [
    "however many messages ask for it, a process is restarted once a second",
    "messages end the back-off of a process that dies at once no more often than once a second",
    "nothing that a neighbour's names lead to is opened",
    "pipes that come and go, and leases, block neither what is seen of the configs nor the end",
    "${what} have the configs looked at no more often than there is time for",
    "a flood of names slows neither the configs nor the end, and a message among them is taken",
    "what is no message is not removed, however much of it there is and whoever may write its directory",
    "a neighbour who puts other things in the place of the lock keeps no monitor from starting",
  ],
  "the way to the messages directory": [
    "a messages directory that is swapped for one of root's loses none of its files",
  ],
  "nothing, but can read the messages directory": [
    "a neighbour who locks all that can be opened keeps no monitor from starting, nor its successor",
  ],
  "the pid directory, or the way to it": [
    "--${option} DIR is refused where the neighbour owns DIR, or may write it",
    "a forged pid file has nobody's process ended, where its directory is a neighbour's",
  ],
  "a log directory, `--log-file`, or the way to them": [
    "--${option} DIR is refused where the neighbour owns DIR, or may write it",
    "--log-file is refused in a neighbour's directory, and where it is a link or a pipe",
    "a log is written nowhere else when its directory is given away, and a link is put in its place",
  ],
  "a hearts directory": ["in a hearts directory that users share, each can beat for another, and stop another's heart"],
  "the output of a process": [
    "a child cannot do by control characters on std${name} what it is not to do",
    "a child that writes 200 MB to a stdout that nobody reads fills no memory and stops nothing else",
  ],
  "the answers of a server that httpcheck asks": [
    "200 to 399 are good, and no redirect is followed",
    "the status is the answer: a body that is endless, slow or cut short changes nothing",
  ],
  "the memory of a process, by tracing it": [
    "a monitor that is asked to stop ends with 1, 5 s after SIGKILL, where somebody does not end",
    "Supervisor names a process ${who} after 5 s, and every 10 s, and starts nothing in its place",
  ],
};

/** The first cells of the table below a heading. */
function rowsOf(page: string, heading: string): string[] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const rows = section.split("\n## ")[0]!.match(/^\| .*$/gm) ?? [];
  return rows.slice(2).map((row) => row.split(" | ")[0]!.slice(2).trim());
}

Deno.test("each row of the table of docs/security.md has tests, and each of these is there", () => {
  const page = Deno.readTextFileSync(join(ROOT, "docs", "security.md"));
  assertEquals(rowsOf(page, "Who can write what"), Object.keys(HELD_BY));
  const folders = [join(ROOT, "tests", "cli"), join(ROOT, "tests", "monitor")];
  const files = folders.flatMap((folder) => namesIn(folder).map((name) => join(folder, name)));
  const tests = files.filter((path) => path.endsWith("_test.ts")).map((path) => Deno.readTextFileSync(path));
  for (const name of Object.values(HELD_BY).flat()) {
    assert(tests.some((text) => [...'"`'].some((quote) => text.includes(quote + name))), name);
  }
});
