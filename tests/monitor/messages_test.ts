import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { config, FREQUENCY_MS, restart, RESTART_GAP_MS, ScannerWorld } from "./worlds.ts";

const RESTART_ALL = '{"type": "RESTART-ALL"}';

Deno.test("Messages acts on messages in the order of their names, each once, and removes them", async () => {
  await using world = await ScannerWorld.idle({ a: config("a"), b: config("b"), c: config("c"), d: config("d") });
  world.host.watches.isSilent = true;
  world.messages.post("3", restart("a"));
  world.messages.post("10", restart("b"));
  world.messages.post("2", restart("c"));
  world.messages.post("1", restart("d"));
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.take(), ["d restart", "b restart", "c restart", "a restart"]);
  assertEquals(world.messages.names, []);
  assertEquals(world.log.take(), [
    'INFO message "1": RESTART "d"',
    'INFO message "10": RESTART "b"',
    'INFO message "2": RESTART "c"',
    'INFO message "3": RESTART "a"',
  ]);
});

Deno.test("Messages accepts messages as Python NColony's code and its manual write them", async () => {
  await using world = await ScannerWorld.idle({ web: config("a", { group: ["front"] }), db: config("b") });
  const messages = [
    { type: "RESTART", name: "web" },
    { type: "restart", value: "web" },
    { type: "restart", name: "web" },
    { type: "RESTART", value: "web" },
    { type: "RESTART-GROUP", group: "front" },
    { type: "restart-group", group: "front" },
  ];
  for (const message of messages) {
    world.messages.post("1", JSON.stringify(message));
    await world.settle();
    assertEquals(world.take(), ["web restart"], JSON.stringify(message));
    await world.advance(2 * RESTART_GAP_MS);
  }
});

Deno.test("Messages restarts all enabled processes for RESTART-ALL", async () => {
  const off = { "ncolony.monitor": { enabled: false } };
  await using world = await ScannerWorld.idle({ web: config("a"), db: config("b"), off: config("c", off) });
  world.messages.post("1", RESTART_ALL);
  await world.settle();
  assertEquals(world.take().sort(), ["db restart", "web restart"]);
  assertEquals(world.log.take(), ['INFO message "1": RESTART-ALL']);
});

Deno.test("Messages restarts the members of a group for RESTART-GROUP", async () => {
  await using world = await ScannerWorld.idle({
    web: config("a", { group: ["front", "all"] }),
    db: config("b", { group: ["back", "all"] }),
    job: config("c"),
  });
  world.messages.post("1", '{"type": "RESTART-GROUP", "group": "front"}');
  await world.settle();
  assertEquals(world.take(), ["web restart"]);
  await world.advance(RESTART_GAP_MS);
  world.messages.post("1", '{"type": "RESTART-GROUP", "group": "all"}');
  await world.settle();
  assertEquals(world.take().sort(), ["db restart", "web restart"]);
});

Deno.test("Messages logs and removes messages that name no enabled process", async () => {
  await using world = await ScannerWorld.idle({ off: config("a", { "ncolony.monitor": { enabled: false } }) });
  world.messages.post("1", restart("web"));
  world.messages.post("2", restart("off"));
  world.messages.post("3", '{"type": "RESTART-GROUP", "group": "front"}');
  world.messages.post("4", RESTART_ALL);
  await world.advance(2 * FREQUENCY_MS);
  assertEquals([world.take(), world.messages.names, world.messages.rejected], [[], [], []]);
  assertEquals(world.log.take(), [
    'WARN message "1": RESTART "web": no such process is configured',
    'WARN message "2": RESTART "off": no such process is configured',
    'WARN message "3": RESTART-GROUP "front": no such process is configured',
    'WARN message "4": RESTART-ALL: no such process is configured',
  ]);
});

Deno.test("Messages accesses no config with an invalid name", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  const looked: string[] = [];
  world.config.onCall = (operation, name) => void (operation === "stamp" && looked.push(name));
  for (const name of ["../secret", "/etc/shadow", ".hidden", "web.new", "", "a\0b", "..", "web"]) {
    world.messages.post("1", restart(name));
    await world.advance(1000);
  }
  assertEquals([world.take(), world.messages.names], [["web restart"], []]);
  assertEquals(new Set(looked), new Set(["web"]));
  assertEquals(world.log.count("no such process is configured"), 7);
});

Deno.test("Messages rejects a message that stays invalid for 100 ms, and logs the reason once", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  const wrong = { a: "{", b: "[]", c: '{"type": "STOP"}', d: '{"type": "RESTART"}' };
  for (const [name, text] of Object.entries(wrong)) world.messages.post(name, text);
  world.messages.plant("e", "is a symbolic link");
  await world.advance(99);
  assertEquals([world.messages.rejected, world.log.take()], [[], []]);
  await world.advance(1);
  assertEquals(world.messages.rejected, ["a", "b", "c", "d", "e"]);
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.log.take().map((line) => line.replace(/(rejected: \S+ \S+).*/, "$1")), [
    'WARN message "a" is invalid and was moved to .rejected: invalid JSON',
    'WARN message "b" is invalid and was moved to .rejected: must be',
    'WARN message "c" is invalid and was moved to .rejected: "type" must',
    'WARN message "d" is invalid and was moved to .rejected: "name" must',
    'WARN message "e" is invalid and was moved to .rejected: is a',
  ]);
  assertEquals([world.take(), world.messages.names], [[], []]);
});

Deno.test("Messages does not let an invalid message delay the next ones", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.post("1", "{");
  world.messages.post("2", restart("web"));
  await world.settle();
  assertEquals([world.take(), world.messages.names], [["web restart"], ["1"]]);
});

Deno.test("Messages acts on a half-written message when it is complete, and does not reject it", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.write("1", "");
  await world.advance(60);
  world.messages.write("1", '{"type": "RES');
  await world.advance(60);
  world.messages.write("1", restart("web"));
  await world.advance(FREQUENCY_MS);
  assertEquals([world.take(), world.messages.rejected], [["web restart"], []]);
  assertEquals(world.log.take(), ['INFO message "1": RESTART "web"']);
});

Deno.test("Messages logs nothing about an invalid message that is removed again", async () => {
  await using world = await ScannerWorld.idle();
  world.messages.write("1", "{");
  await world.advance(50);
  world.messages.remove("1");
  await world.advance(FREQUENCY_MS);
  assertEquals([world.log.take(), world.messages.rejected], [[], []]);
});

Deno.test("Messages ignores names that begin with . or end with .new", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.write("1.new", restart("web"));
  world.messages.write(".1", "{");
  await world.advance(2 * FREQUENCY_MS);
  assertEquals([world.take(), world.log.take(), world.messages.names.length], [[], [], 2]);
});

Deno.test("Messages acts once on messages that it cannot remove, and logs that once", async () => {
  await using world = await ScannerWorld.idle({ web: config("a"), db: config("b") });
  world.messages.irremovable = "permission denied";
  world.messages.post("1", restart("web"));
  await world.settle();
  world.messages.post("2", restart("db"));
  world.messages.post("3", "{");
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.take(), ["web restart", "db restart"]);
  assertEquals(world.log.count("ERROR cannot remove messages: permission denied; each is acted on only once"), 1);
  assertEquals(world.log.count('message "3" is invalid'), 1);
  assertEquals(world.messages.names, ["1", "2", "3"]);
});

Deno.test("Messages acts on another message with the name of one that it could not remove", async () => {
  await using world = await ScannerWorld.idle({ web: config("a"), db: config("b") });
  world.messages.irremovable = "permission denied";
  world.messages.post("1", restart("web"));
  await world.settle();
  assertEquals(world.take(), ["web restart"]);
  world.messages.post("1", restart("db"));
  await world.settle();
  assertEquals(world.take(), ["db restart"]);
  world.messages.remove("1");
  await world.advance(FREQUENCY_MS);
  world.messages.irremovable = null;
  world.messages.post("1", restart("db"));
  await world.advance(FREQUENCY_MS);
  assertEquals([world.take(), world.messages.names], [["db restart"], []]);
});

Deno.test("Messages acts again on a message that it could not remove if it disappears and comes back", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.irremovable = "permission denied";
  world.messages.post("1", restart("web"));
  await world.settle();
  world.messages.move("1", "1.new");
  await world.settle();
  world.messages.move("1.new", "1");
  await world.advance(RESTART_GAP_MS);
  assertEquals(world.take(), ["web restart", "web restart"]);
});

Deno.test("Messages acts on and removes messages in a new directory after it could not remove them in the previous one", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.irremovable = "permission denied";
  world.messages.post("1", restart("web"));
  await world.settle();
  world.messages.irremovable = null;
  world.messages.replace({ "1": restart("web") });
  await world.advance(FREQUENCY_MS);
  assertEquals([world.take(), world.messages.names], [["web restart", "web restart"], []]);
});

Deno.test("Messages logs once that the messages directory is missing, and delivers messages when it is back", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  const comeBack = world.messages.vanish();
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.log.take(), [
    "ERROR cannot read the messages directory /messages: no such file or directory; no restart can be requested",
  ]);
  comeBack();
  world.messages.post("1", restart("web"));
  await world.advance(FREQUENCY_MS);
  assertEquals([world.take(), world.messages.names], [["web restart"], []]);
  assertEquals(world.log.take(), [
    "INFO the messages directory /messages can be read again",
    'INFO message "1": RESTART "web"',
  ]);
});

Deno.test("Messages acts on the messages that the watch reports, and on others in the next full scan", async () => {
  await using world = await ScannerWorld.idle({ web: config("a"), db: config("b") });
  world.host.watches.isSilent = true;
  world.messages.post("1", restart("db"));
  world.host.watches.isSilent = false;
  const postsBefore: number[] = [];
  world.host.watches.onHold = () => postsBefore.push(world.posts.length);
  const posts = world.posts.length;
  world.messages.post("2", restart("web"));
  await world.settle();
  assertEquals(world.take(), ["web restart"]);
  assertEquals(postsBefore[0], posts + 1, "nobody waits until named pipes are held open");
  await world.advance(FREQUENCY_MS);
  assertEquals(world.take(), ["db restart"]);
});

Deno.test("Messages removes a message after it has acted on it", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.post("1", restart("web"));
  await world.settle();
  assertEquals([world.take(), world.messages.names], [["web restart"], []]);
});

Deno.test("Messages acts only once on a message that stays, whatever is scanned or reported", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.irremovable = "permission denied";
  world.messages.post("1", restart("web"));
  await world.settle();
  assertEquals(world.take(), ["web restart"]);
  world.host.watches.touched(world.messages, "1");
  world.messages.write("1", `${restart("web")}\n`);
  world.host.watches.rescan();
  await world.advance(FREQUENCY_MS);
  assertEquals([world.take(), world.messages.names], [[], ["1"]]);
  world.messages.irremovable = null;
  await world.advance(FREQUENCY_MS);
  assertEquals([world.take(), world.messages.names], [[], []]);
});

for (const [what, how] of [["replaces", "post"], ["overwrites", "write"]] as const) {
  Deno.test(`Messages acts on another message that ${what} one that it acted on and could not remove`, async () => {
    for (const isTold of [true, false]) {
      await using world = await ScannerWorld.idle({ web: config("a"), db: config("b") });
      world.messages.irremovable = "permission denied";
      world.messages.post("1", restart("web"));
      await world.settle();
      world.messages.irremovable = null;
      world.host.watches.isSilent = !isTold;
      world.messages[how]("1", restart("db"));
      await world.settle();
      if (!isTold) await world.advance(FREQUENCY_MS);
      assertEquals([world.take(), world.messages.names], [["web restart", "db restart"], []]);
    }
  });
}

Deno.test("Messages acts on a message that replaces another one while that is processed", async () => {
  await using world = await ScannerWorld.idle({ web: config("a"), db: config("b") });
  let isPosted = false;
  world.config.onCall = (operation) => {
    if (operation !== "stamp" || isPosted) return;
    isPosted = true;
    world.messages.post("1", restart("db"));
  };
  world.messages.post("1", restart("web"));
  await world.settle();
  assertEquals([world.take(), world.messages.names], [["web restart", "db restart"], []]);
});

Deno.test("Messages acts only once on a message that is inaccessible for a while, and removes it then", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.irremovable = "permission denied";
  world.messages.post("1", restart("web"));
  await world.settle();
  world.messages.unreachable = "permission denied";
  await world.advance(FREQUENCY_MS);
  assertEquals(world.messages.names, ["1"]);
  world.messages.unreachable = world.messages.irremovable = null;
  await world.advance(FREQUENCY_MS);
  assertEquals([world.take(), world.messages.names], [["web restart"], []]);
});

Deno.test("Messages removes nothing from a directory that replaces its own before it has scanned it", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.post("1", restart("web"));
  await world.settle();
  world.messages.replace({ "1": restart("web") });
  await world.settle();
  assertEquals(world.messages.names, ["1"]);
  await world.advance(FREQUENCY_MS);
  assertEquals([world.take(), world.messages.names], [["web restart", "web restart"], []]);
});

Deno.test("Messages reads a message only once, whatever the watch reports until it is removed", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  const { calls } = world.messages;
  const { read, stamp, names } = calls;
  world.messages.onCall = (operation) => {
    if (operation === "read" && calls.read === read + 1) world.host.watches.touched(world.messages, "1");
  };
  world.messages.post("1", restart("web"));
  await world.settle();
  assertEquals([world.take(), calls.read - read, calls.stamp - stamp, calls.names - names], [["web restart"], 1, 1, 0]);
});

Deno.test("Messages makes the watch hold named pipes open at once if it cannot read a reported message", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  let holds = 0;
  world.host.watches.onHold = () => holds++;
  world.messages.plant("1", "not a regular file");
  await world.settle();
  assertEquals(holds, 1);
});

Deno.test("Messages reads no message that the watch reports as gone", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  const calls = world.messages.callCount;
  world.host.watches.touched(world.messages, "1", "gone");
  await world.settle();
  assertEquals(world.messages.callCount, calls);
});

Deno.test("Messages logs once that the messages directory cannot be listed", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.messages.unreadable = "permission denied";
  world.host.watches.isSilent = true;
  world.messages.post("1", restart("web"));
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.log.take(), [
    "ERROR cannot read the messages directory /messages: permission denied; no restart can be requested",
  ]);
  world.messages.unreadable = null;
  await world.advance(FREQUENCY_MS);
  assertEquals(world.take(), ["web restart"]);
});

Deno.test("Messages acts on 10,000 messages in order, and lets other tasks run", async () => {
  await using world = await ScannerWorld.idle({ web: config("a"), db: config("b") });
  world.host.watches.isSilent = true;
  const names = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(5, "0"));
  const targets = names.map((_, index) => index % 3 === 0 ? "web" : "db");
  for (const [index, name] of names.entries()) world.messages.post(name, restart(targets[index]!));
  const { yields } = world.host.clock;
  let most = 0;
  world.messages.costMs = 0.1;
  world.messages.onCall = (operation) => {
    if (operation === "remove") most = Math.max(most, world.messages.calls.read - world.messages.calls.remove);
  };
  await world.advance(FREQUENCY_MS + 10_000);
  assertLessOrEqual(most, 1000, "and what was acted on does not pile up");
  assertEquals(
    world.log.take(),
    names.map((name, index) => `INFO message "${name}": RESTART "${targets[index]}"`),
  );
  assertEquals(new Set(world.take()), new Set(["web restart", "db restart"]));
  assertEquals([world.messages.names.length, world.messages.calls.remove], [0, 10_000]);
  assert(world.host.clock.yields - yields >= 30);
  assertLessOrEqual(world.messages.calls.read, 10_000);
});
