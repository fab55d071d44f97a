import { assertEquals } from "@std/assert";
import { describeSpan, type Exit, judge, type LastExit, newStatus, shouldRun, type Status } from "@ncolony/core";

const NOW = 1_000_000;

const FACTS = { thresholdMs: 1000, stderr: [], sha256: null, lastEvent: null };

const CODE_3: Exit = { type: "code", code: 3 };

function died(exit: Exit, isAsked = false): LastExit {
  return { exit, at: NOW - 500, livedMs: 20, isAsked };
}

function verdict(status: Partial<Status>, deaths = 0): string | null {
  return judge({ status: { ...newStatus("web", 0), ...status }, facts: FACTS }, deaths, null, NOW);
}

const PROBLEM = { message: '"uid" must be a number', field: "uid", line: 3, column: 2, since: 0 };

/** What a process does, its status, how often it died in a row, and what is wrong with that. */
const CASES: readonly (readonly [what: string, status: Partial<Status>, deaths: number, verdict: string | null])[] = [
  ["runs", { state: "running", started: NOW - 5000 }, 0, null],
  ["runs, for a moment, for the first time", { state: "running", started: NOW - 1 }, 0, null],
  [
    "runs, for a moment, after it was asked to restart",
    { state: "running", started: NOW - 1, lastExit: died(CODE_3, true) },
    0,
    null,
  ],
  [
    "runs, for a moment, after an exit beyond the threshold",
    { state: "running", started: NOW - 1, lastExit: died(CODE_3) },
    0,
    null,
  ],
  [
    "runs, for a moment, after a death",
    { state: "running", started: NOW - 999, lastExit: died(CODE_3) },
    1,
    "has just started (exit code 3)",
  ],
  ["runs for its threshold after deaths", { state: "running", started: NOW - 1000, lastExit: died(CODE_3) }, 4, null],
  [
    "waits after a death",
    { state: "waiting", nextStart: NOW + 32_000, lastExit: died(CODE_3), cause: { kind: "exit" } },
    5,
    "waits 32 s (exit code 3, 5th death in a row)",
  ],
  [
    "waits after it could not be started",
    {
      state: "waiting",
      nextStart: NOW - 1,
      lastExit: died({ type: "failed", reason: "no such file" }),
      cause: { kind: "exit" },
    },
    1,
    "waits 0 s (cannot start: no such file)",
  ],
  [
    "waits for an order to take effect",
    { state: "waiting", lastExit: died(CODE_3), cause: { kind: "message", messages: ["1"], from: null, reason: null } },
    1,
    null,
  ],
  ["stops as asked", { state: "stopping", cause: { kind: "config", keys: null } }, 0, null],
  ["is killed as asked", { state: "killing", cause: { kind: "monitor" } }, 0, null],
  ["died just now", { state: "stopping", cause: { kind: "exit" }, lastExit: died(CODE_3) }, 1, "died (exit code 3)"],
  ["does not end", { state: "killing", waitsFor: "pid 52 (zombie)" }, 0, "waits for pid 52 (zombie)"],
  ["is disabled", { state: "disabled", lastExit: died(CODE_3) }, 1, null],
  ["is removed", { state: "removed", lastExit: died(CODE_3) }, 1, null],
  [
    "is invalid",
    { state: "invalid", problem: PROBLEM },
    0,
    'has an invalid config at line 3, column 2: "uid" must be a number',
  ],
  [
    "runs with an older config than its file has",
    { state: "running", started: 0, problem: { ...PROBLEM, message: "invalid JSON at line 3, column 2", field: null } },
    0,
    "has an invalid config: invalid JSON at line 3, column 2",
  ],
];

for (const [what, status, deaths, expected] of CASES) {
  Deno.test(`judge() finds ${expected === null ? "nothing" : "something"} wrong with a process that ${what}`, () => {
    assertEquals(verdict(status, deaths), expected);
  });
}

Deno.test("judge() counts deaths in English", () => {
  const waiting: Partial<Status> = {
    state: "waiting",
    nextStart: NOW,
    lastExit: died(CODE_3),
    cause: { kind: "exit" },
  };
  const counts = [1, 2, 3, 4, 9, 10, 112].map((deaths) => /exit code 3(.*)\)$/.exec(verdict(waiting, deaths)!)?.[1]);
  const many = ", at least 10 deaths in a row";
  const few = ["", ", 2nd death in a row", ", 3rd death in a row", ", 4th death in a row", ", 9th death in a row"];
  assertEquals(counts, [...few, many, many]);
});

Deno.test("describeSpan() shows the two largest units", () => {
  const spans = [0, 999, 59_999, 60_000, 125_000, 3_600_000, 3_725_000, 86_400_000, 100 * 86_400_000 + 7_200_000];
  assertEquals(spans.map(describeSpan), ["0 s", "0 s", "59 s", "1m", "2m 5s", "1h", "1h 2m", "1d", "100d 2h"]);
});

Deno.test("shouldRun() leaves out what is disabled or removed", () => {
  const states = ["running", "waiting", "invalid", "stopped", "disabled", "removed"] as const;
  assertEquals(states.filter((state) => shouldRun({ ...newStatus("web", 0), state })), states.slice(0, 4));
});
