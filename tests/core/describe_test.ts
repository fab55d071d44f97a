import { assertEquals } from "@std/assert";
import { describeExit, describeStep, type Exit, GONE, type ProcessEvent, type ProcessState } from "@ncolony/core";
import { sample } from "./samples.ts";

const NOW = 10_000;
const WEB = sample("web");
const RUNNING: ProcessState = { type: "running", spec: WEB, delayMs: 1000, startedAt: NOW - 250 };
const STOPPING: ProcessState = {
  type: "stopping",
  next: WEB,
  delayMs: 1000,
  startedAt: 0,
  startAt: NOW,
  stoppedAt: 0,
  killAt: NOW,
};
const KILLING: ProcessState = {
  type: "killing",
  next: null,
  delayMs: 1000,
  startedAt: 0,
  startAt: NOW,
  killedAt: NOW,
  reportAt: NOW + 5000,
};
const WANTED: ProcessEvent = { type: "wanted", spec: WEB };
const CRASHED: ProcessEvent = { type: "leader-exited", exit: { type: "signal", signal: "SIGSEGV" } };
const FAILED: ProcessEvent = { type: "leader-exited", exit: { type: "failed", reason: "no such command" } };

function waiting(delayMs: number): ProcessState {
  return { type: "waiting", spec: WEB, delayMs: 1000, startedAt: 0, until: NOW + delayMs };
}

const LINES: readonly (readonly [line: string, before: ProcessState, event: ProcessEvent, after: ProcessState])[] = [
  ["gone -> running (wanted)", GONE, WANTED, RUNNING],
  ["running -> stopping (config changed)", RUNNING, WANTED, STOPPING],
  ["running -> stopping (unwanted)", RUNNING, { type: "unwanted" }, STOPPING],
  ["running -> stopping (restart)", RUNNING, { type: "restart" }, STOPPING],
  ["running -> killing (kill)", RUNNING, { type: "kill" }, KILLING],
  ["running -> stopping (SIGSEGV after 0.25 s)", RUNNING, CRASHED, STOPPING],
  ["running -> stopping (SIGSEGV after 0 s)", { ...RUNNING, startedAt: NOW }, CRASHED, STOPPING],
  ["running -> stopping (cannot start: no such command)", RUNNING, FAILED, STOPPING],
  ["ended: SIGSEGV after 10 s", STOPPING, CRASHED, STOPPING],
  [
    "ended: exit status unknown (started by a previous monitor)",
    { ...STOPPING, startedAt: -Infinity },
    { type: "leader-exited", exit: { type: "unknown", reason: "started by a previous monitor" } },
    { ...STOPPING, startedAt: -Infinity },
  ],
  ["stopping -> killing (kill time expired)", STOPPING, { type: "tick" }, KILLING],
  ["killing -> gone (kill scope is empty)", KILLING, { type: "group-exited" }, GONE],
  ["stopping -> waiting for 2 s (kill scope is empty)", STOPPING, { type: "group-exited" }, waiting(2000)],
  ["waiting -> running (delay expired)", waiting(0), { type: "tick" }, RUNNING],
];

for (const [line, ...[before, event, after]] of LINES) {
  Deno.test(`describeStep() describes a step as "${line}"`, () => {
    assertEquals(describeStep(before, event, after, NOW), line);
  });
}

Deno.test("describeStep() writes durations in seconds, with three digits up to 1000 s", () => {
  const durations = [1, 61, 1234, 12_345, 100 / 3, 61_000, 999_900, 3_600_000, 4_000_500].map((delayMs) =>
    /waiting for (.*) \(/.exec(describeStep(STOPPING, { type: "group-exited" }, waiting(delayMs), NOW))?.[1]
  );
  const seconds = [0.001, 0.061, 1.23, 12.3, 0.0333, 61, 1000, 3600, 4000.5];
  assertEquals(durations, seconds.map((each) => `${each} s`));
});

Deno.test("describeExit() distinguishes exit codes, signals and failed starts", () => {
  const exits: Exit[] = [
    { type: "code", code: 0 },
    { type: "code", code: 3 },
    { type: "signal", signal: "SIGKILL" },
    { type: "failed", reason: "no such command" },
  ];
  assertEquals(exits.map(describeExit), ["exit code 0", "exit code 3", "SIGKILL", "cannot start: no such command"]);
});

Deno.test("describeExit() omits the middle of a long reason", () => {
  const told = (reason: string) => describeExit({ type: "failed", reason });
  for (const character of ["a", "😀"]) {
    assertEquals(told(character.repeat(500)), `cannot start: ${character.repeat(500)}`);
    const long = `${character.repeat(300)}${"b".repeat(100_000)}${character.repeat(200)}`;
    assertEquals(told(long), `cannot start: ${character.repeat(300)}…${character.repeat(200)}`);
  }
});
