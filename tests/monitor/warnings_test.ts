import { assertEquals, assertMatch } from "@std/assert";
import { StopTime } from "../../monitor/stop_time.ts";
import { type WarningFacts, warningsOf } from "../../monitor/warnings.ts";
import { sample } from "../core/samples.ts";

const AT_EASE: WarningFacts = { gid: 0, killTimeMs: 5000, stopTime: new StopTime(Infinity) };

Deno.test("StopTime leaves a second, or half of its time, after SIGKILL to give up and to flush the log", () => {
  const partsOf = ({ killMs, giveUpMs, flushMs }: StopTime) => [killMs, giveUpMs, flushMs];
  assertEquals(partsOf(new StopTime(10_000)), [9000, 9500, 250]);
  assertEquals(partsOf(new StopTime(1000)), [500, 750, 125]);
  assertEquals(partsOf(new StopTime(Infinity)), [Infinity, Infinity, 1000]);
});

Deno.test("warningsOf() warns about a kill time of the config or the monitor that is longer than a stop allows", () => {
  const within = { ...AT_EASE, stopTime: new StopTime(6000) };
  assertEquals(warningsOf(sample("web"), within), []);
  assertEquals(warningsOf(sample("web"), { ...within, killTimeMs: 5001 }).length, 1);
  const [warning] = warningsOf(sample("web", { "ncolony.monitor": { kill_time: 60 } }), within);
  assertMatch(
    warning!,
    /^its kill time is 60 s, but .* within 6 s .*\(--stop-within, .*\): then it gets SIGKILL after 5 s$/,
  );
});

Deno.test("warningsOf() warns about an NColony tool that assumes a longer kill time than it has", () => {
  const hasty = { ...AT_EASE, killTimeMs: 4999 };
  const tools = [
    "jsr:@ncolony/scheduler",
    "jsr:@ncolony/notify",
    "/opt/ncolony/ncolony-scheduler.js",
    "ncolony-monitor",
    "jsr:@ncolony/reaper@0.1",
  ];
  for (const tool of tools) {
    const spec = sample("jobs", { args: ["deno", "run", tool] });
    assertMatch(
      warningsOf(spec, hasty).join(),
      /^this NColony tool expects a kill time of 5 s, but --killtime is 4.999 s: set "kill_time" in its config$/,
    );
    assertEquals(warningsOf(spec, AT_EASE), []);
    const own = sample("jobs", { args: [tool], "ncolony.monitor": { kill_time: 2 } });
    assertEquals(warningsOf(own, hasty), []);
  }
  for (const other of ["ncolony-scheduled", "my-ncolony-scheduler", "/srv/ncolony/monitor.sh", "ncolony-ctl"]) {
    assertEquals(warningsOf(sample("web", { args: [other] }), hasty), [], other);
  }
});

Deno.test("warningsOf() suggests the known key that is closest to an unknown one", () => {
  const keys = { "ncolony.htpcheck": {}, "ncolony.monitor": {}, "ncolony.beatcheck": null, comment: 1, name: 2 };
  assertEquals(warningsOf(sample("web", keys), AT_EASE), [
    'unknown key "ncolony.htpcheck": did you mean "ncolony.httpcheck"?',
  ]);
  assertMatch(
    warningsOf(sample("web", { "ncolony.\x1b[31m": 1 }), AT_EASE).join(),
    /^unknown key "ncolony\.\S+": did/,
  );
});

Deno.test("warningsOf() names the right place of a top-level key that belongs to the monitor", () => {
  const warnings = warningsOf(
    sample("web", { cwd: "/srv", user: "www-data", ncolony_monitor: {}, name: "x" }),
    AT_EASE,
  );
  assertEquals(warnings, [
    '"cwd" is an extra, which NColony ignores: did you mean "ncolony.monitor.cwd"?',
    '"user" is an extra, which NColony ignores: did you mean "ncolony.monitor.user"?',
    '"ncolony_monitor" is an extra, which NColony ignores: did you mean "ncolony.monitor"?',
  ]);
});
