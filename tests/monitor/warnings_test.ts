import { assertEquals, assertMatch } from "@std/assert";
import { StopTime } from "../../monitor/stop_time.ts";
import { type Surroundings, warningsOf } from "../../monitor/warnings.ts";
import { sample } from "../core/samples.ts";

const AT_EASE: Surroundings = { gid: 0, killTimeMs: 5000, stopTime: new StopTime(Infinity) };

Deno.test("StopTime leaves a second, or half of its time, after SIGKILL, and gives up and writes its log in that", () => {
  const partsOf = ({ killMs, giveUpMs, flushMs }: StopTime) => [killMs, giveUpMs, flushMs];
  assertEquals(partsOf(new StopTime(10_000)), [9000, 9500, 250]);
  assertEquals(partsOf(new StopTime(1000)), [500, 750, 125]);
  assertEquals(partsOf(new StopTime(Infinity)), [Infinity, Infinity, 1000]);
});

Deno.test("warningsOf() warns of a kill time that does not fit into a stop, the config's or the monitor's", () => {
  const within = { ...AT_EASE, stopTime: new StopTime(6000) };
  assertEquals(warningsOf(sample("web"), within), []);
  assertEquals(warningsOf(sample("web"), { ...within, killTimeMs: 5001 }).length, 1);
  const [warning] = warningsOf(sample("web", { "ncolony.monitor": { kill_time: 60 } }), within);
  assertMatch(warning!, /^has 60 s to end, .* within 6 s \(--stop-within\): then it gets SIGKILL after 5 s$/);
});

Deno.test("warningsOf() warns of a tool of this project that takes its kill time to be longer than it is", () => {
  const hasty = { ...AT_EASE, killTimeMs: 4999 };
  const tools = [
    "jsr:@ncolony/scheduler",
    "/opt/ncolony/ncolony-scheduler.js",
    "ncolony-monitor",
    "jsr:@ncolony/reaper@0.1",
  ];
  for (const tool of tools) {
    const spec = sample("jobs", { args: ["deno", "run", tool] });
    assertMatch(
      warningsOf(spec, hasty).join(),
      /^runs an NColony tool, which assumes that it has 5 s to end, but --killtime is 4.999: give it a "kill_time"$/,
    );
    assertEquals(warningsOf(spec, AT_EASE), []);
    const own = sample("jobs", { args: [tool], "ncolony.monitor": { kill_time: 2 } });
    assertEquals(warningsOf(own, hasty), []);
  }
  for (const other of ["ncolony-scheduled", "my-ncolony-scheduler", "/srv/ncolony/monitor.sh", "ncolony-ctl"]) {
    assertEquals(warningsOf(sample("web", { args: [other] }), hasty), [], other);
  }
});

Deno.test("warningsOf() names the known key that is nearest to one that nobody knows", () => {
  const keys = { "ncolony.htpcheck": {}, "ncolony.monitor": {}, "ncolony.beatcheck": null, comment: 1, ncolony: 2 };
  assertEquals(warningsOf(sample("web", keys), AT_EASE), [
    'has the key "ncolony.htpcheck", which nobody knows: did you mean "ncolony.httpcheck"?',
  ]);
  assertMatch(
    warningsOf(sample("web", { "ncolony.\x1b[31m": 1 }), AT_EASE).join(),
    /^has the key "ncolony\.\S+", which/,
  );
});

Deno.test("warningsOf() says where a key of the monitor's belongs that stands at the top", () => {
  const warnings = warningsOf(
    sample("web", { cwd: "/srv", user: "www-data", ncolony_monitor: {}, name: "x" }),
    AT_EASE,
  );
  assertEquals(warnings, [
    'has "cwd" as an extra, which the monitor does not look at: it belongs into "ncolony.monitor"',
    'has "user" as an extra, which the monitor does not look at: give the numeric "uid" and "gid"',
    'has "ncolony_monitor" as an extra, which the monitor does not look at: its name is "ncolony.monitor"',
  ]);
});
