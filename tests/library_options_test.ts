/** Every library rejects invalid options with an error that names the option, and does nothing. */

import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { makeService as makeBeatcheck } from "@ncolony/beatcheck";
import { makeService as makeHttpcheck } from "@ncolony/httpcheck";
import { DEFAULTS, makeService as makeMonitor, startMonitor } from "@ncolony/monitor";
import { makeService as makeScheduler, runProcess } from "@ncolony/scheduler";
import { namesIn } from "./cli/tools.ts";
import { tempDir } from "./helpers.ts";

const HUGE = 1e10;

/** The numeric options of a monitor, with invalid values. */
const MONITOR: Readonly<Record<string, readonly number[]>> = {
  frequency: [NaN, 0, -1, HUGE, Infinity],
  threshold: [NaN, -1, HUGE],
  killtime: [NaN, -1, HUGE, Infinity],
  minrestartdelay: [NaN, -1, HUGE],
  maxrestartdelay: [NaN, -1, HUGE],
  stopWithin: [NaN, 0, -1, HUGE],
  logSize: [NaN, 0, -1, 4095, 1e15, 5000.5],
  logKeep: [NaN, -1, HUGE, 1.5],
  nofile: [NaN, 0, -1, HUGE, 1.5],
};

for (const [name, values] of Object.entries(MONITOR)) {
  Deno.test(`the monitor's makeService() throws a RangeError for ${name} of ${values.join(", ")}, and creates nothing`, async () => {
    using dir = tempDir();
    const places = {
      config: dir.file("config"),
      messages: dir.file("messages"),
      pid: dir.file("pids"),
      logs: dir.file("logs"),
    };
    for (const value of values) {
      const options = { ...DEFAULTS, ...places, [name]: value };
      const error = assertThrows(() => makeMonitor(options), RangeError);
      assertMatch(error.message, RegExp(`^"${name}" must be a (whole )?number.*: got ${value}$`));
      await assertRejects(() => startMonitor({ ...options, output: null }), RangeError, name);
    }
    assertEquals(namesIn(dir.path), []);
  });
}

Deno.test("the monitor's makeService() throws a TypeError that names an option of the wrong type", () => {
  using dir = tempDir();
  const places = { config: dir.file("config"), messages: dir.file("messages") };
  for (
    const [name, value] of [["frequency", "10"], ["config", ""], ["messages", 3], ["pid", null], ["logs", ""]] as const
  ) {
    // A program without types may do this.
    const options = { ...DEFAULTS, ...places, [name]: value } as unknown as Parameters<typeof makeMonitor>[0];
    assertThrows(() => makeMonitor(options), TypeError, `"${name}" must`);
  }
});

for (const [tool, make] of [["beatcheck", makeBeatcheck], ["httpcheck", makeHttpcheck]] as const) {
  Deno.test(`${tool}'s makeService() throws a RangeError for freq of NaN, 0, -1 or 1e10`, () => {
    for (const freq of [NaN, 0, -1, HUGE]) {
      assertThrows(() => make({ config: "/nowhere", messages: "/nowhere", freq }), RangeError, `"freq" must be`);
    }
    assertThrows(() => make({ config: "", messages: "/nowhere", freq: 1 }), TypeError, `"config" must not be empty`);
    assertThrows(
      () => make({ config: "/nowhere", messages: "/nowhere" } as Parameters<typeof make>[0]),
      TypeError,
      "freq",
    );
  });
}

const RUN = { args: ["true"], timeout: 1, grace: 1, frequency: 1 } as const;

for (
  const [name, values] of Object.entries({
    timeout: [NaN, 0, -1, HUGE],
    grace: [NaN, -1, HUGE],
    frequency: [NaN, 0, -1, HUGE],
    splay: [NaN, -1],
    maxFailures: [NaN, 0, -1, 1.5],
  })
) {
  Deno.test(`the scheduler's makeService() throws a RangeError for ${name} of ${values.join(", ")}`, () => {
    for (const value of values) {
      assertThrows(() => makeScheduler({ ...RUN, [name]: value }), RangeError, `"${name}" must`);
    }
  });
}

Deno.test("the scheduler's makeService() throws a TypeError for missing or conflicting options", () => {
  const { args, timeout, grace } = RUN;
  assertThrows(() => makeScheduler({ args, timeout, grace }), TypeError, '"frequency" or "cron" is missing');
  assertThrows(() => makeScheduler({ ...RUN, cron: "* * * * *" }), TypeError, "cannot be used together");
  assertThrows(() => makeScheduler({ ...RUN, splay: 1 }), TypeError, '"splay" must be less than "frequency"');
  assertThrows(() => makeScheduler({ ...RUN, last: "/tmp/last" }), TypeError, '"last" needs "cron"');
  assertThrows(() => makeScheduler({ ...RUN, catchUp: true }), TypeError, '"catchUp" needs "cron"');
  for (const wrong of [[], "true", [""], ["true", 3]]) {
    assertThrows(() => makeScheduler({ ...RUN, args: wrong as unknown as [string] }), TypeError, '"args');
  }
});

Deno.test("runProcess() rejects with a TypeError for a kill scope that it does not know, and runs nothing", async () => {
  using dir = tempDir();
  for (const killScope of ["cgroup", "bogus"]) {
    const options = { killScope } as unknown as Parameters<typeof runProcess>[3];
    await assertRejects(() => runProcess(["touch", dir.file("ran")], 1, 1, options), TypeError, '"killScope" must be');
  }
  assertEquals(namesIn(dir.path), []);
});

Deno.test("runProcess() rejects with a RangeError for invalid times, and runs nothing", async () => {
  using dir = tempDir();
  for (const [timeout, grace] of [[NaN, 1], [0, 1], [HUGE, 1], [1, -1], [1, NaN]] as const) {
    await assertRejects(() => runProcess(["touch", dir.file("ran")], timeout, grace), RangeError);
  }
  assertEquals(namesIn(dir.path), []);
});
