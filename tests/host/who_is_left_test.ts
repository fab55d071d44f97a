import { assertEquals, assertMatch } from "@std/assert";
import { membersOf } from "../../host/scopes/proc.ts";
import { hasLiveMember, whoIsLeft } from "../../host/scopes/who_is_left.ts";
import { until } from "../helpers.ts";
import { Actor } from "./actors.ts";
import { ending, inState, Trial } from "./children.ts";

/** Returns what an actor that may read /proc reports of a child's remaining processes. */
async function told(pid: number, scope = "group"): Promise<{ left: string; isLive: boolean }> {
  await using actor = new Actor(["left", `${pid}`, scope]);
  return JSON.parse(await actor.result());
}

Deno.test("whoIsLeft() names the members of a group, and their states", async () => {
  await using trial = new Trial(["sh", "-c", "sleep 300 & kill -STOP $!; echo $!; exec sleep 300"]);
  const member = Number(await trial.line());
  await inState(member, "T");
  await inState(trial.pid, "S");
  const { left, isLive } = await told(trial.pid);
  assertEquals(left.split(", ").sort(), [`pid ${trial.pid} (sleeping)`, `pid ${member} (stopped)`].sort());
  assertEquals(isLive, true);
  assertEquals((await told(trial.pid, "process")).left, `pid ${trial.pid} (sleeping)`);
});

Deno.test("whoIsLeft() names live members of a group before zombies, and only a few of many", async () => {
  // Their parent becomes a program that reaps no children.
  const script = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 300 & pids="$pids $!"; done; echo $pids; exec sleep 300';
  await using trial = new Trial(["sh", "-c", script]);
  const members = (await trial.line()).split(" ").map(Number);
  await inState(trial.pid, "S");
  for (const pid of members) Deno.kill(pid, "SIGKILL");
  for (const pid of members) await inState(pid, "Z");
  const { left, isLive } = await told(trial.pid);
  const zombie = "pid \\d+ \\(zombie that its parent does not reap\\)";
  assertMatch(left, new RegExp(`^pid ${trial.pid} \\(sleeping\\)(, ${zombie}){7}, and 2 more$`));
  assertEquals(isLive, true);
});

Deno.test("hasLiveMember() is false for a group of only zombies, which whoIsLeft() names", async () => {
  // Its parent has moved to another session, and never reaps it.
  const script = "(sleep 300 & echo $!; exec setsid sh -c 'echo $$; exec sleep 300 > /dev/null 2>&1') & exit 0";
  await using trial = new Trial(["sh", "-c", script]);
  await until("two lines are written", () => trial.text.stdout.split("\n").length > 2);
  const [zombie, parent] = trial.text.stdout.split("\n").map(Number);
  using _parent = ending(parent);
  await until("the leader's end is told", () => trial.events.length > 0);
  await inState(zombie, "S");
  assertEquals(await told(trial.pid), { left: `pid ${zombie} (sleeping)`, isLive: true });
  Deno.kill(zombie, "SIGKILL");
  await inState(zombie, "Z");
  assertEquals(await told(trial.pid), { left: `pid ${zombie} (zombie that its parent does not reap)`, isLive: false });
});

Deno.test("hasLiveMember() is true for a process whose first thread has exited, but not the others", async () => {
  await using actor = new Actor(["lose the first thread"], ["setsid"]);
  await actor.says("loses it");
  await inState(actor.pid, "Z");
  const { left, isLive } = await told(actor.pid);
  assertMatch(left, new RegExp(`^pid ${actor.pid} \\(thread \\d+: [a-z ]+\\)$`));
  assertEquals(isLive, true);
});

Deno.test("whoIsLeft() reports that a process that is gone is not visible", async () => {
  await using trial = new Trial(["true"]);
  await trial.emptied();
  const nothing = { left: `pid ${trial.pid} (not visible in /proc)`, isLive: false };
  assertEquals(await told(trial.pid), nothing);
});

Deno.test("whoIsLeft() names the missing permission if /proc may not be read, and hasLiveMember() is false", async () => {
  await using trial = new Trial(["sleep", "300"]);
  assertEquals(
    whoIsLeft(trial.pid, () => membersOf("group", trial.pid)),
    `pid ${trial.pid} (state unknown without --allow-all)`,
  );
  assertEquals(hasLiveMember(trial.pid), false);
});
