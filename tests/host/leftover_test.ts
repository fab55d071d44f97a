import { assertEquals, assertMatch } from "@std/assert";
import { PidDirectory } from "@ncolony/host";
import { findLeftovers } from "../../host/leftover.ts";
import { isAlive, type TempDir, tempDir, until } from "../helpers.ts";
import { Actor } from "./actors.ts";
import { ending, stateOf, Trial } from "./children.ts";
import { HandClock } from "./fakes.ts";

/** Runs a program that may read /proc; gives what it tells, line by line. */
async function told(...args: string[]): Promise<unknown[]> {
  await using actor = new Actor(args);
  return (await actor.result()).trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Writes the pid file of a child, with its record. */
async function record(dir: TempDir, pid: number, scope = "group"): Promise<void> {
  assertEquals(await told("record", dir.path, "web", `${pid}`, scope), [{ fault: null }]);
}

function namesIn(dir: TempDir): string[] {
  return [...Deno.readDirSync(dir.path)].map(({ name }) => name).sort();
}

Deno.test("findLeftovers() knows a child by its record", async () => {
  using dir = tempDir();
  await using trial = new Trial(["/usr/bin/env", "-i", "sleep", "300"]);
  await record(dir, trial.pid);
  assertEquals((Deno.statSync(dir.file(".web")).mode ?? 0) & 0o777, 0o600);
  assertEquals(await told("leftovers", dir.path), [[{ name: "web", pid: trial.pid, isKnown: true }]]);
  assertEquals(namesIn(dir), [".web", "web"]);
});

for (const difference of [{ start: "1" }, { boot: "another" }]) {
  Deno.test(`findLeftovers() takes a child of another ${Object.keys(difference)} for a stranger`, async () => {
    using dir = tempDir();
    await using trial = new Trial(["sleep", "300"]);
    await record(dir, trial.pid);
    dir.write(".web", JSON.stringify({ ...JSON.parse(Deno.readTextFileSync(dir.file(".web"))), ...difference }));
    assertEquals(await told("leftovers", dir.path, "SIGKILL"), [[], []]);
    assertEquals(namesIn(dir), []);
    assertEquals([isAlive(trial.pid), trial.events], [true, []]);
  });
}

Deno.test("findLeftovers() knows a child without a record by its environment, and no other", async () => {
  using dir = tempDir();
  await using trial = new Trial(["sleep", "300"]);
  for (const name of ["web", "db"]) dir.write(name, `${trial.pid}\n`);
  assertEquals(await told("leftovers", dir.path), [[{ name: "web", pid: trial.pid, isKnown: true }]]);
  assertEquals(namesIn(dir), ["web"]);
});

Deno.test("findLeftovers() removes the files of what is gone", async () => {
  using dir = tempDir();
  await using trial = new Trial(["sleep", "300"]);
  await record(dir, trial.pid);
  trial.child?.signal("SIGKILL");
  await trial.emptied();
  assertEquals(await findLeftovers(new PidDirectory(dir.path), new HandClock()), []);
  assertEquals(namesIn(dir), []);
});

Deno.test("findLeftovers() tells the end of a child and its group when all of it has ended", async () => {
  using dir = tempDir();
  await using trial = new Trial(["sh", "-c", "sleep 300 & echo $!; wait"]);
  using _grandchild = ending(Number(await trial.line()));
  await record(dir, trial.pid);
  const [found, events] = await told("leftovers", dir.path, "SIGTERM");
  assertEquals(found, [{ name: "web", pid: trial.pid, isKnown: true }]);
  assertEquals(events, ["cannot start: started by an earlier monitor", "emptied"]);
  assertEquals(trial.events[0], "exited: SIGTERM");
});

Deno.test("findLeftovers() finds who is left in the group of a leader that has ended", async () => {
  using dir = tempDir();
  await using trial = new Trial(["sh", "-c", "sleep 300 & echo $!; read line; exit 0"]);
  using _grandchild = ending(Number(await trial.line()));
  await record(dir, trial.pid);
  Deno.kill(trial.pid, "SIGKILL");
  await until("the leader has ended", () => trial.events.length > 0);
  assertEquals(await told("leftovers", dir.path), [[{ name: "web", pid: trial.pid, isKnown: true }]]);
});

Deno.test("findLeftovers() signals the leader alone where kill_scope is process", async () => {
  using dir = tempDir();
  await using trial = new Trial(["sh", "-c", "sleep 300 & echo $!; wait"]);
  await record(dir, trial.pid, "process");
  const [, events] = await told("leftovers", dir.path, "SIGTERM");
  assertEquals(events, ["cannot start: started by an earlier monitor", "emptied"]);
  assertMatch(await stateOf(Number(await trial.line())), /^[SR]$/);
});

Deno.test("findLeftovers() signals nobody where it may not read /proc, and waits for their end", async () => {
  using dir = tempDir();
  const clock = new HandClock();
  await using trial = new Trial(["sleep", "300"]);
  dir.write("web", `${trial.pid}`);
  const [found] = await findLeftovers(new PidDirectory(dir.path), clock);
  assertEquals([found.name, found.pid, found.isKnown], ["web", trial.pid, false]);
  const told: string[] = [];
  const child = found.open({
    exited: ({ type }) => void told.push(type),
    emptied: () => void told.push("emptied"),
    warn: (message) => void told.push(message),
  });
  child.signal("SIGKILL");
  child.retry();
  assertEquals(child.refused, true);
  clock.advance(60_000);
  assertEquals([told, trial.events], [[], []]);
  trial.child?.signal("SIGTERM");
  await trial.emptied();
  assertEquals(trial.events, ["exited: SIGTERM", "emptied"]);
  clock.advance(500);
  assertEquals(told, ["failed", "emptied"]);
  assertEquals(clock.waiting, 0);
});
