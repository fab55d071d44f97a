import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { join } from "@std/path";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { gone, namesIn, run } from "./tools.ts";

const CAT = { args: ["cat"] };
const COUNT = 10_000;
const NAMES = ["web", "api", "db"];

/** Returns the peak memory of a process, in MiB. */
async function peakOf(pid: number): Promise<number> {
  const { stdout } = await run(["cat", `/proc/${pid}/status`]);
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(stdout)?.[1]) / 1024;
}

/** Returns the nth message of a flood. Every second one is invalid, every hundredth is for all processes. */
function message(index: number): string {
  if (index % 2 === 1) return index % 4 === 1 ? "{" : '{"type": "RESTART", "name": 1}';
  return index % 100 === 0 ? '{"type": "RESTART-ALL"}' : `{"type": "RESTART", "name": "${NAMES[index % 3]}"}`;
}

/** Replaces the messages directory by one full of messages, so that the monitor finds all of them at once. */
function flood(colony: Colony, count = COUNT, textOf = message): void {
  const full = colony.dir.dir("full");
  for (let index = 0; index < count; index++) {
    Deno.writeTextFileSync(join(full, `${index}`.padStart(6, "0")), textOf(index));
  }
  Deno.renameSync(colony.messages, colony.dir.file("empty"));
  Deno.renameSync(full, colony.messages);
}

const TAKEN = / INFO message "/;
const REJECTED =
  / WARN message ".*" is invalid and (?:was moved to .rejected|stays in place \(.rejected already has 100 messages\)): /;

function colonyOfNames(): Colony {
  const config = Object.fromEntries(NAMES.map((name) => [name, CAT]));
  return new Colony({ args: ["--frequency", "0.2"], config });
}

Deno.test("the monitor handles each of 10,000 messages once, half of them invalid, and takes a config meanwhile", async () => {
  await using colony = colonyOfNames();
  for (const name of NAMES) await colony.started(name);
  flood(colony);
  await colony.waitFor(TAKEN);
  colony.put("late", CAT);
  const { lines } = colony.stderr;
  await colony.until("more were seen", () => lines.length >= COUNT / 4);
  await colony.until("each that was wrong was said", () => colony.count(REJECTED) === COUNT / 2);
  await colony.until("all that were right are gone", () => namesIn(colony.messages).length === 1 + COUNT / 2 - 100);
  await colony.started("late");
  await colony.fence();
  assertEquals([colony.count(TAKEN), colony.count(REJECTED)], [COUNT / 2, COUNT / 2]);
  assertEquals(namesIn(join(colony.messages, ".rejected")).length, 100);
  const start = lines.findIndex((line) => line.includes("INFO late: gone -> running"));
  assertLess(start, lines.findLastIndex((line) => TAKEN.test(line)));
  for (const name of NAMES) {
    const starts = colony.pidsOf(name);
    assertLess(1, starts.length);
    assertLessOrEqual(starts.length, 1 + Math.ceil(COUNT / 256));
    // The last restart, which waits for its second, may still be running.
    await colony.until(`one ${name} runs`, () => colony.pidsOf(name).filter(isAlive).length === 1);
  }
  assertLess(await peakOf(colony.process.pid), 250);
});

Deno.test("SIGTERM among thousands of messages stops all processes in order, and leaves the other messages", async () => {
  await using colony = colonyOfNames();
  for (const name of NAMES) await colony.started(name);
  flood(colony, 5000);
  await colony.waitFor(TAKEN);
  assertEquals(await colony.stop(), 0);
  assertEquals(colony.stderr.lines.at(-1)?.slice(25), "INFO all processes have ended");
  await gone(...colony.pidsOf());
  assert(namesIn(colony.messages).length > 1);
  assertLess(colony.count(TAKEN), 2500);
});

Deno.test("the monitor sees children exit while it rejects hundreds of large messages", async () => {
  // Its child exits and is restarted all the time.
  await using colony = new Colony({
    args: ["--frequency", "0.2", "-t", "0"],
    config: { web: { args: ["sleep", "0.02"] } },
  });
  await colony.started("web", 3);
  const brackets = "[".repeat(65_000);
  flood(colony, 150, () => brackets);
  await colony.until("all were seen", () => colony.count(REJECTED) === 150);
  const { lines } = colony.stderr;
  const [first, last] = [
    lines.findIndex((line) => REJECTED.test(line)),
    lines.findLastIndex((line) => REJECTED.test(line)),
  ];
  assertLess(0, lines.slice(first, last).filter((line) => line.includes("web: running -> stopping")).length);
});

Deno.test("the monitor reports hundreds of named pipes at once, and keeps working and stopping", async () => {
  await using colony = colonyOfNames();
  const web = await colony.started("web");
  const pipes = Array.from({ length: 600 }, (_, index) => join(colony.messages, `pipe-${index}`));
  assertEquals((await run(["mkfifo", ...pipes])).code, 0);
  await colony.until("each was said", () => colony.count(REJECTED) === 600);
  assertEquals(namesIn(join(colony.messages, ".rejected")).length, 100);
  // A directory that is created again is watched again.
  Deno.renameSync(colony.messages, colony.dir.file("aside"));
  colony.dir.dir("messages");
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
  await colony.fence();
  assertEquals([isAlive(web), await colony.stop()], [false, 0]);
});
