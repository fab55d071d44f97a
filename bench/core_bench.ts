/** Measures core/: `deno task bench:core`. */

import { GONE, LineSplitter, parseSpec, Specs, step, WholeLines } from "@ncolony/core";

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

const specs = new Specs();
for (let i = 0; i < 10_000; i++) specs.change(`web${i}`, { source: TYPICAL.replace("8080", `${i}`) });

Deno.bench("Specs: one of 10,000 configs changes", () => {
  specs.change("web5000", { source: TYPICAL });
  if (specs.change("web5000", { source: TYPICAL.replace("8080", "5000") }).event === null) {
    throw new Error("unexpected");
  }
});

Deno.bench("step() through all states: wanted, exited, emptied, tick, unwanted, exited, emptied", () => {
  let [state] = step(GONE, { type: "wanted", spec: SPEC }, 0, POLICY);
  [state] = step(state, { type: "leader-exited", exit: { type: "code", code: 1 } }, 10, POLICY);
  [state] = step(state, { type: "group-exited" }, 10, POLICY);
  [state] = step(state, { type: "tick" }, 2000, POLICY);
  [state] = step(state, { type: "unwanted" }, 5000, POLICY);
  [state] = step(state, { type: "leader-exited", exit: { type: "signal", signal: "SIGTERM" } }, 5001, POLICY);
  [state] = step(state, { type: "group-exited" }, 5001, POLICY);
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
