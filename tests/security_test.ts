/** Each row of the table in docs/security.md is covered by tests, which are named here. */

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { namesIn, ROOT } from "./cli/tools.ts";

/** The titles of the tests of each row, as they begin in the source. */
const HELD_BY: Readonly<Record<string, readonly string[]>> = {
  "a config, the config directory, or the way to them": [
    "the monitor refuses --${option} in a neighbour's directory, and creates nothing there",
    "the monitor refuses --${option} through a symlink in a neighbour's directory",
    "the monitor refuses a config directory that other users may write to",
    "the monitor runs nothing from logs that a neighbour swaps for the config directory",
    "the monitor never runs a config through a symlink that a neighbour keeps swapping",
    "the monitor reports a config that other users may write to, until its mode is corrected",
  ],
  "the source of a read-only mount": [
    "the monitor trusts a read-only mount of a neighbour's directory only with --trust-read-only-mount",
    "--trust-read-only-mount trusts a read-only volume of mode 0777",
  ],
  "a command, a directory of its PATH, or its `cwd`": ["${what}, even if a neighbour put it there"],
  "the messages directory": [
    "the monitor restarts a process at most once a second, however many messages ask for it",
    "messages cut short the backoff of a crashing process at most once a second",
    "the monitor opens nothing that a neighbour's names lead to",
    "FIFOs that come and go, and leases, keep the monitor neither from seeing configs nor from stopping",
    "${what} cause no more scans of the configs than there is time for",
    "a flood of names slows down neither configs nor the stop, and the monitor takes a message among them",
    "the monitor deletes no file that is not a message, whatever their number and the mode of the directory",
    "a neighbour who replaces the lock keeps no monitor from starting",
  ],
  "the way to the messages directory": [
    "the monitor removes no file from a directory of root's that is swapped for the messages directory",
  ],
  "nothing, but can read the messages directory": [
    "a neighbour who locks everything keeps neither a monitor nor its successor from starting",
  ],
  "the pid directory, or the way to it": [
    "the monitor refuses --${option} DIR if the neighbour owns DIR or may write to it",
    "a forged pid file in a neighbour's directory ends no process",
  ],
  "a log directory, `--log-file`, or the way to them": [
    "the monitor refuses --${option} DIR if the neighbour owns DIR or may write to it",
    "the monitor refuses --log-file in a neighbour's directory, and if it is a symlink or a FIFO",
    "the monitor writes a log nowhere else if its directory is given away and a symlink replaces it",
  ],
  "a hearts directory": ["in a shared hearts directory, each user can beat for another, and stop another's heart"],
  "the output of a process": [
    "the monitor escapes control characters of a child on std${name}",
    "a child that writes 200 MB to a stdout that is not read takes little memory and stops nothing else",
  ],
  "the answers of a server that httpcheck asks": [
    "httpcheck accepts 200 to 399, follows no redirect",
    "httpcheck judges by the status: an endless, slow or truncated body changes nothing",
  ],
  "nothing, but can connect to web": [
    "with a token, nobody without it sees anything, but for whether all is well",
    "any address but a loopback one needs a token",
    "whoever sends many wrong tokens must wait, but not who has logged in from the same address",
    "web closes all connections and listens again when it has too many open files",
    "answers have a policy that runs nothing from elsewhere, and only GET and HEAD are answered",
    "web shows the end of a log, follows it over rotation, and shows no other file",
    "a client that reads nothing is dropped, and costs no other client anything",
    "a peer that wants another token, or is something else, is marked, and cannot make web ask elsewhere",
  ],
  "a web page that an administrator visits": [
    "only requests that call the server by its own name, or by an address, are answered",
    "answers have a policy that runs nothing from elsewhere, and only GET and HEAD are answered",
    "a login sets a cookie that scripts cannot read and other sites cannot send, and that is not the token",
  ],
  "the names, logs and stderr that web shows": [
    "names and lines are text: nothing of them runs, moves or turns anything around",
  ],
  "a message, or a report of a checker or a scheduler": [
    "nothing that is told can begin a line or control a terminal, and the JSON is what happened",
  ],
  "the memory of a process, by tracing it": [
    "a stopping monitor exits with 1, 5 s after SIGKILL, if a process survives",
    "Supervisor logs a process ${which} after 5 s, then every 10 s, and starts nothing instead",
  ],
};

/** Returns the first cells of the table below a heading. */
function rowsOf(page: string, heading: string): string[] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const rows = section.split("\n## ")[0]!.match(/^\| .*$/gm) ?? [];
  return rows.slice(2).map((row) => row.split(" | ")[0]!.slice(2).trim());
}

Deno.test("each row of the table in docs/security.md has tests, and each of them exists", () => {
  const page = Deno.readTextFileSync(join(ROOT, "docs", "security.md"));
  assertEquals(rowsOf(page, "Who can write what"), Object.keys(HELD_BY));
  const folders = ["cli", "monitor", "browser"].map((folder) => join(ROOT, "tests", folder));
  const files = folders.flatMap((folder) => namesIn(folder).map((name) => join(folder, name)));
  const tests = files.filter((path) => path.endsWith("_test.ts")).map((path) => Deno.readTextFileSync(path));
  for (const name of Object.values(HELD_BY).flat()) {
    assert(tests.some((text) => [...'"`'].some((quote) => text.includes(quote + name))), name);
  }
});
