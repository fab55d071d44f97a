import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { Actor } from "./actors.ts";
import { Trial } from "./children.ts";

/** Checks all events of a child that exits by itself. */
async function assertEvents(args: string[], config: Record<string, unknown>, ...events: string[]): Promise<void> {
  await using trial = new Trial(args, config);
  await trial.emptied();
  assertEquals(trial.events, events);
}

/** Returns a count of a new child's file descriptors, for comparisons. */
async function descriptors(): Promise<number> {
  await using trial = new Trial(["ls", "/proc/self/fd"]);
  return (await trial.result()).split("\n").length;
}

Deno.test("spawnChild() reports an exit code", async () => {
  await assertEvents(["true"], {}, "leader-exited: exit code 0", "group-exited");
  await assertEvents(["sh", "-c", "exit 3"], {}, "leader-exited: exit code 3", "group-exited");
});

Deno.test("spawnChild() reports the signal that ended a child", async () => {
  await assertEvents(["sh", "-c", "kill -KILL $$"], {}, "leader-exited: SIGKILL", "group-exited");
  await assertEvents(["sh", "-c", "kill -SEGV $$"], {}, "leader-exited: SIGSEGV", "group-exited");
});

Deno.test("spawnChild() reports an exit by a signal without a name", async () => {
  await assertEvents(["sh", "-c", "kill -40 $$"], {}, "leader-exited: signal 40", "group-exited");
});

Deno.test("spawnChild() reports a missing command before it returns", () => {
  for (const command of ["/no/such/command", "./no/such/command"]) {
    const trial = new Trial([command]);
    assertEquals(trial.child, null);
    const reason = `command ${JSON.stringify(command)} or its interpreter: no such file or directory`;
    assertEquals(trial.events, [`leader-exited: cannot start: ${reason}`, "group-exited"]);
    assertEquals(trial.ended, true);
  }
});

Deno.test("spawnChild() reports a missing working directory", () => {
  using dir = tempDir();
  for (const cwd of [dir.file("missing"), dir.write("file", "")]) {
    const trial = new Trial(["/bin/true"], { "ncolony.monitor": { cwd } });
    assertEquals(trial.child, null);
    assertEquals(trial.events.length, 2);
    assertMatch(trial.events[0], /^leader-exited: cannot start: .*is not a directory, or cannot be entered$/);
    assertEquals(trial.events[1], "group-exited");
  }
});

Deno.test("spawnChild() reports a command that cannot be executed", () => {
  using dir = tempDir();
  const plain = dir.write("plain", "#!/bin/sh\n");
  const orphan = dir.write("orphan", "#!/no/such/interpreter\n");
  Deno.chmodSync(orphan, 0o755);
  for (const command of [plain, dir.dir("directory"), orphan]) {
    const trial = new Trial([command]);
    assertEquals(trial.child, null);
    assertMatch(trial.events[0], /^leader-exited: cannot start: .+/);
    assertEquals(trial.events.slice(1), ["group-exited"]);
  }
});

Deno.test("spawnChild() reports an environment that is too long for the operating system", () => {
  const trial = new Trial(["/bin/true"], { env_inherit: ["LONG"] }, { environ: () => "x".repeat(200_000) });
  assertEquals(trial.child, null);
  assertMatch(trial.events[0], /^leader-exited: cannot start: .*[Aa]rgument list too long/);
});

Deno.test("spawnChild() reports the exit once, and in order, even if the child is signaled until it exits", async () => {
  await using trial = new Trial(["sleep", "300"]);
  for (let i = 0; i < 5; i++) trial.child?.signal("SIGTERM");
  await trial.emptied();
  trial.child?.signal("SIGKILL");
  trial.child?.retry();
  assertEquals(trial.child?.refused, false);
  await using other = new Trial(["sleep", "0.1"]);
  await other.result();
  assertEquals(trial.events, ["leader-exited: SIGTERM", "group-exited"]);
});

Deno.test("spawnChild() passes on all bytes of both streams", async () => {
  await using trial = new Trial(["sh", "-c", "echo out; echo err >&2; printf rest"]);
  assertEquals(await trial.result(), "out\nrest");
  assertEquals(trial.text.stderr, "err\n");
});

Deno.test("spawnChild() loses nothing of a long output", async () => {
  await using trial = new Trial(["sh", "-c", "seq 1 200000"]);
  const text = await trial.result();
  assertEquals(text.length, 1_288_895);
  assert(text.endsWith("199999\n200000\n"));
});

Deno.test("spawnChild() keeps stdin open while the child lives, and then closes it", async () => {
  await using cat = new Trial(["cat"]);
  await using trial = new Trial(["sh", "-c", "read line || echo over"]);
  await using other = new Trial(["sleep", "0.2"]);
  await other.emptied();
  assertEquals([cat.events, trial.events, trial.text.stdout], [[], [], ""]);
});

Deno.test("spawnChild() keeps no file descriptor of a child that has exited", async () => {
  await using actor = new Actor(["descriptors", "50"]);
  const { before, after } = JSON.parse(await actor.result());
  assertLess(after, before + 10);
});

Deno.test("spawnChild() gives a child no file descriptor of another", async () => {
  const alone = await descriptors();
  await using _one = new Trial(["cat"]);
  await using _two = new Trial(["cat"]);
  assertEquals(await descriptors(), alone);
});
