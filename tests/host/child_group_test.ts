import { assert, assertEquals, assertMatch } from "@std/assert";
import { isAlive, until } from "../helpers.ts";
import { ending, stateOf, Trial } from "./children.ts";
import { HandClock } from "./fakes.ts";

/** Returns a leader that starts `sleep 300` in its group, prints its pid, and goes on with `then`. */
function withGrandchild(then: string): string[] {
  return ["sh", "-c", `sleep 300 & echo $!; ${then}`];
}

/** A trial that records, at each event, whether the group had a member. */
class Watched extends Trial {
  /** Each event, with whether the group had a member then. */
  readonly ends: [event: string, isAlive: boolean][] = [];

  override told(event: string): void {
    super.told(event);
    this.ends?.push([event, isAlive(-this.pid)]);
  }
}

Deno.test("spawnChild() makes a child the leader of its own session and process group", async () => {
  await using trial = new Trial(["sh", "-c", "read -r stat < /proc/self/stat; echo $stat; exec cat"]);
  const [pid, , , , group, session] = (await trial.line()).split(" ");
  assertEquals([pid, group, session], Array(3).fill(`${trial.pid}`));
});

Deno.test("Child.signal() reaches grandchildren", async () => {
  await using trial = new Trial(withGrandchild("wait"));
  const pid = Number(await trial.line());
  trial.child?.signal("SIGTERM");
  await trial.emptied();
  assertEquals(trial.events, ["leader-exited: SIGTERM", "group-exited"]);
  await until("the grandchild is gone", () => !isAlive(pid));
});

Deno.test("Child.signal() sends the given signal", async () => {
  await using trial = new Trial([
    "sh",
    "-c",
    'trap "echo hup" HUP; trap "exit 7" USR1; echo ready; while :; do sleep 0.01; done',
  ]);
  assertEquals(await trial.line(), "ready");
  trial.child?.signal("SIGHUP");
  await until("it got SIGHUP", () => trial.text.stdout.includes("hup"));
  trial.child?.signal("SIGUSR1");
  await trial.emptied();
  assertEquals(trial.events[0], "leader-exited: exit code 7");
});

Deno.test("spawnChild() reports an empty group once, when its last member has exited", async () => {
  await using trial = new Watched(withGrandchild("exit 3"));
  const pid = Number(await trial.line());
  await until("the leader's end is told", () => trial.events.length > 0);
  assertEquals(trial.events, ["leader-exited: exit code 3"]);
  trial.child?.signal("SIGTERM");
  await trial.emptied();
  assert(!isAlive(pid));
  assertEquals(trial.ends, [["leader-exited: exit code 3", true], ["group-exited", false]]);
});

Deno.test("spawnChild() reports an empty group in the same turn as the leader's exit if it is empty then", async () => {
  const turns: string[] = [];
  class Turned extends Trial {
    override told(event: string): void {
      super.told(event);
      turns?.push(event);
      queueMicrotask(() => turns.push("next turn"));
    }
  }
  await using trial = new Turned(["true"]);
  await trial.result();
  assertEquals(turns.slice(0, 2), ["leader-exited: exit code 0", "group-exited"]);
});

Deno.test("Child.signal() sends nothing to an empty group", async () => {
  await using trial = new Trial(["true"]);
  await trial.emptied();
  trial.child?.signal("SIGKILL");
  assertEquals(trial.child?.refused, false);
  assertEquals(trial.events, ["leader-exited: exit code 0", "group-exited"]);
});

Deno.test("Child.signal() reaches only the leader if kill_scope is process", async () => {
  await using trial = new Trial(withGrandchild("wait"), { "ncolony.monitor": { kill_scope: "process" } });
  using _grandchild = ending(Number(await trial.line()));
  trial.child?.signal("SIGTERM");
  await trial.emptied();
  assertEquals(trial.events, ["leader-exited: SIGTERM", "group-exited"]);
  trial.child?.signal("SIGKILL");
  assertMatch(await stateOf(Number(await trial.line())), /^[SR]$/);
});

Deno.test("spawnChild() does not wait for processes that left the group, and reads their output for one second", async () => {
  await using trial = new Trial(["sh", "-c", "setsid sleep 300 & echo $!; exit 0"]);
  using _escaped = ending(Number(await trial.line()));
  const pid = Number(await trial.line());
  await trial.emptied();
  assertEquals(trial.ended, false);
  await until("the output ends", () => trial.ended);
  assert(isAlive(pid));
  assertEquals(trial.text.stdout, `${pid}\n`);
});

/**
 * Starts a process that is left as a zombie in the group after SIGKILL: its parent, which prints its own pid once it
 * has moved to another session, never reaps it. Then goes on with `then`.
 */
function withZombie(then: string): string[] {
  return ["sh", "-c", `(sleep 300 & exec setsid sh -c 'echo $$; exec sleep 300 > /dev/null 2>&1') & ${then}`];
}

/** Advances a clock in small steps, and lets everything else happen after each. */
async function pass(clock: HandClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    clock.advance(50);
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
}

Deno.test("spawnChild() gives up zombies a second after SIGKILL, and reports that", async () => {
  const clock = new HandClock();
  await using trial = new Trial(withZombie("exit 0"), {}, { clock });
  using _parent = ending(Number(await trial.line()));
  await until("the leader's end is told", () => trial.events.length > 0);
  await pass(clock, 60_000);
  assertEquals(trial.events, ["leader-exited: exit code 0"]);
  trial.child?.signal("SIGKILL");
  await pass(clock, 900);
  assertEquals(trial.events, ["leader-exited: exit code 0"]);
  await pass(clock, 200);
  assertMatch(trial.events[1], /^warn: .*what pid \d+ started is still there after SIGKILL/);
  assertEquals(trial.events.slice(2), ["group-exited"]);
  await pass(clock, 10_000);
  assertEquals(trial.events.length, 3);
});

Deno.test("spawnChild() counts the second from the leader's exit if SIGKILL came before", async () => {
  const clock = new HandClock();
  await using trial = new Trial(withZombie("exec sleep 300"), {}, { clock });
  using _parent = ending(Number(await trial.line()));
  trial.child?.signal("SIGKILL");
  await pass(clock, 5000);
  await until("the leader's end is told", () => trial.events.length > 0);
  await pass(clock, 900);
  assertEquals(trial.events, ["leader-exited: SIGKILL"]);
  await pass(clock, 200);
  assertEquals(trial.events.slice(2), ["group-exited"]);
});
