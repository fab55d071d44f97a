import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { everStarted, untilAllRunAsWritten } from "./running.ts";
import { namesIn, run } from "./tools.ts";

const CAT = { args: ["cat"] };
const NAMES = Array.from({ length: 50 }, (_, index) => `web-${index}`);
const CONFIG = Object.fromEntries(NAMES.map((name) => [name, CAT]));
const ONCE = ["--frequency", "1e9"];

async function allStarted(colony: Colony): Promise<void> {
  await colony.until("all are started", () => colony.pidsOf().length >= NAMES.length);
}

/** Edits each of 50 files 100 times. */
function edit5000Times(colony: Colony): void {
  for (let version = 1; version <= 100; version++) {
    for (const name of NAMES) colony.put(name, { args: ["cat"], version });
  }
}

Deno.test("after 5,000 rapid edits of 50 files, each process runs with its file's last text", async () => {
  await using colony = new Colony({ args: ONCE, config: { ...CONFIG, db: CAT } });
  await allStarted(colony);
  edit5000Times(colony);
  await untilAllRunAsWritten(colony);
  assertEquals(everStarted(colony), ["db", ...NAMES].sort());
  assertEquals(colony.pidsOf("db").length, 1);
  assertEquals(colony.matching(/WARN|ERROR|\(unwanted\)/), []);
});

for (const [how, frequency] of [["by the next full scan", "1"], ["at once", "1e9"]] as const) {
  Deno.test(`the monitor finds changes that overflowed the watch's queue, ${how}`, async () => {
    const room = Number((await run(["cat", "/proc/sys/fs/inotify/max_queued_events"])).stdout);
    await using colony = new Colony({ args: ["--frequency", frequency], config: { ...CONFIG, early: CAT } });
    const early = await colony.started("early");
    await allStarted(colony);
    await colony.fence();
    colony.process.kill("SIGSTOP");
    try {
      fillQueue(colony, 2 * room);
      edit5000Times(colony);
      colony.put("late", CAT);
      colony.remove("early");
    } finally {
      colony.process.kill("SIGCONT");
    }
    await colony.waitFor(/early: stopping -> gone/);
    await untilAllRunAsWritten(colony);
    assertEquals(isAlive(early), false);
    assertEquals(everStarted(colony), ["early", "late", ...NAMES].sort());
    assertEquals(colony.matching(/WARN|ERROR/), []);
  });
}

/** Renames an ignored file back and forth. Each rename causes two events. */
function fillQueue({ config }: Colony, events: number): void {
  const [one, other] = [join(config, "1.new"), join(config, "2.new")];
  Deno.writeTextFileSync(one, "{}");
  for (let event = 0; event < events; event += 4) {
    Deno.renameSync(one, other);
    Deno.renameSync(other, one);
  }
}

/** How long a name must exist to be noticed for certain, in milliseconds. */
const NOTICED_MS = 100;

/** Makes and removes files as fast as possible. Returns the names that existed long enough to be noticed. */
async function flicker(
  directory: string,
  times: number,
  names: (time: number) => string,
  text: string,
): Promise<Set<string>> {
  const slow = new Set<string>();
  for (let time = 0; time < times; time++) {
    const name = names(time);
    const start = performance.now();
    Deno.writeTextFileSync(join(directory, name), text);
    removeIfThere(join(directory, name));
    if (performance.now() - start >= NOTICED_MS) slow.add(name);
    if (time % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return slow;
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    // A message that was noticed is moved to .rejected.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

Deno.test("files that appear and vanish while the monitor scans start nothing and disturb no process", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.01"], config: { web: CAT, db: CAT } });
  const pids = [await colony.started("web"), await colony.started("db")];
  const config = JSON.stringify(CAT);
  const slow = [
    await flicker(colony.config, 5000, (time) => `same-${time % 7}`, config),
    await flicker(colony.config, 5000, (time) => `fresh-${time}`, config),
    await flicker(colony.config, 2000, (time) => `bad-${time % 7}`, "{"),
    await flicker(colony.messages, 5000, (time) => `message-${time % 7}`, "{"),
  ].flatMap((names) => [...names]);
  await untilAllRunAsWritten(colony);
  assertEquals(everStarted(colony).filter((name) => !slow.includes(name)), ["db", "web"]);
  if (slow.length === 0) assertEquals(colony.matching(/WARN|ERROR/), []);
  assertEquals(pids.map(isAlive), [true, true]);
  assertEquals(namesIn(colony.messages).filter((name) => !name.startsWith(".")), []);
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
});

Deno.test("files that are renamed into place and removed at once leave no process running", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.01"], config: { web: CAT } });
  const web = await colony.started("web");
  for (let time = 0; time < 3000; time++) {
    const name = `ghost-${time % 7}`;
    colony.put(name, { args: ["cat"], time });
    colony.remove(name);
    if (time % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await untilAllRunAsWritten(colony);
  assertEquals(namesIn(colony.pids).filter((name) => !name.startsWith("fence-")), ["web"]);
  assertEquals([isAlive(web), colony.pidsOf("web").length, colony.count(/ERROR/)], [true, 1, 0]);
});
