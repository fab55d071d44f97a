/** What core/ costs: `deno task bench:core`. */

import { diff, GONE, LineSplitter, parseSpec, readSnapshot, step, WholeLines } from "@ncolony/core";
import type { Entry } from "@ncolony/core";

const TYPICAL = JSON.stringify({
  args: ["/usr/local/bin/httpd", "-f", "-p", "8080", "-h", "/srv/www"],
  env: { LANG: "C.UTF-8", PORT: "8080", STATE: "/var/lib/web" },
  env_inherit: ["PATH", "HOME"],
  group: ["web"],
  "ncolony.monitor": { cwd: "/srv/www", kill_time: 10 },
  "ncolony.beatcheck": { period: 10, grace: 3, status: "/run/beats" },
});

const POLICY = { thresholdMs: 1000, minDelayMs: 1000, maxDelayMs: 3_600_000, killTimeMs: 5000 };
const SPEC = parseSpec("web", TYPICAL);

Deno.bench("parseSpec() of a typical config", () => {
  parseSpec("web", TYPICAL);
});

const listing = new Map<string, Entry>();
for (let i = 0; i < 10_000; i++) listing.set(`web${i}`, { source: TYPICAL.replace("8080", `${i}`) });
const before = readSnapshot(listing);
const changed = new Map(listing).set("web5000", { source: TYPICAL });
const after = readSnapshot(changed, before);

Deno.bench("readSnapshot() of 10,000 configs, one of them changed", { group: "10,000 configs" }, () => {
  readSnapshot(changed, before);
});

Deno.bench("diff() of 10,000 specs, one of them changed", { group: "10,000 configs" }, () => {
  if (diff(before.specs, after.specs).size !== 1) throw new Error("unexpected");
});

Deno.bench("step() through a life: wanted, exited, emptied, tick, unwanted, exited, emptied", () => {
  let [state] = step(GONE, { type: "wanted", spec: SPEC }, 0, POLICY);
  [state] = step(state, { type: "exited", exit: { type: "code", code: 1 } }, 10, POLICY);
  [state] = step(state, { type: "emptied" }, 10, POLICY);
  [state] = step(state, { type: "tick" }, 2000, POLICY);
  [state] = step(state, { type: "unwanted" }, 5000, POLICY);
  [state] = step(state, { type: "exited", exit: { type: "signal", signal: "SIGTERM" } }, 5001, POLICY);
  [state] = step(state, { type: "emptied" }, 5001, POLICY);
  if (state.type !== "gone") throw new Error("unexpected");
});

const chunk = new TextEncoder().encode(`${"0123456789 ".repeat(9)}\n`.repeat(656)).subarray(0, 65_536);
let bytes = 0;
const splitter = new LineSplitter((_, start, end) => bytes += end - start);
const wholeLines = new WholeLines();

Deno.bench("LineSplitter, 64 KiB in lines of 100 bytes", { group: "64 KiB of output" }, () => {
  splitter.push(chunk);
});

Deno.bench("WholeLines, 64 KiB in lines of 100 bytes", { group: "64 KiB of output" }, () => {
  for (const piece of wholeLines.push(chunk)) bytes += piece.length;
});
