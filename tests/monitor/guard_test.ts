import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DirectoryGuard } from "../../monitor/guard.ts";
import { FakeHost } from "./fake_host.ts";

/** A hold on the two directories of a machine in memory. */
function holdOn(host: FakeHost, messages = host.messages): DirectoryGuard {
  const listener = { touched: () => {}, rescan: () => {}, failed: () => {} };
  return new DirectoryGuard(host, {
    config: host.config.port,
    messagesDirectory: messages.port,
    own: {},
    log: host.log,
    listener,
  });
}

Deno.test("DirectoryGuard locks and watches the directories, and lets them go", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  await hold.open();
  assertEquals([[...host.locks], host.watches.open], [[host.messages.id], 0]);
  await hold.renew();
  assertEquals([host.locks.size, host.watches.open], [1, 1]);
  await hold.close();
  await hold.close();
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
  await holdOn(host).open();
});

Deno.test("DirectoryGuard refuses messages that another monitor has locked, and leaves its lock alone", async () => {
  const host = new FakeHost();
  await holdOn(host).open();
  const second = holdOn(host);
  await assertRejects(() => second.open(), Error, 'Cannot lock "/messages": another monitor runs on these messages');
  await second.close();
  assertEquals(host.locks.size, 1);
});

Deno.test("DirectoryGuard refuses one directory for both, however it is called", () => {
  const host = new FakeHost();
  const linked = { ...host.messages.port, identity: () => host.config.port.identity() };
  const listener = { touched: () => {}, rescan: () => {}, failed: () => {} };
  for (const messagesDirectory of [host.config.port, linked]) {
    const hold = new DirectoryGuard(host, {
      config: host.config.port,
      messagesDirectory,
      own: {},
      log: host.log,
      listener,
    });
    assertThrows(() => hold.open(), Error, "Cannot use one directory for both config and messages");
  }
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
});

Deno.test("DirectoryGuard refuses a directory that is missing, by its path", () => {
  const host = new FakeHost();
  const comeBack = host.config.vanish();
  assertThrows(() => holdOn(host).open(), Error, 'Cannot use directory "/config": it is not there');
  comeBack();
  host.messages.vanish();
  assertThrows(() => holdOn(host).open(), Error, 'Cannot use directory "/messages": it is not there');
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
});

Deno.test("DirectoryGuard goes on without a watch where there is none to be had, and says so", async () => {
  const host = new FakeHost();
  host.watches.fault = "no inotify instance is left";
  const hold = holdOn(host);
  await hold.open();
  await hold.renew();
  assertEquals(host.log.lines.length, 1);
  assertEquals(host.locks.size, 1);
});

Deno.test("DirectoryGuard moves the lock to the messages directory that comes in the place of the first", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  await hold.open();
  await hold.renew();
  host.messages.replace();
  await hold.renew();
  await hold.renew();
  assertEquals([...host.locks], [host.messages.id]);
  assertEquals([host.watches.made, host.watches.open], [2, 1]);
  assertEquals(host.log.lines, []);
});

Deno.test("DirectoryGuard keeps the lock while the messages directory is gone", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  await hold.open();
  const { id } = host.messages;
  const comeBack = host.messages.vanish();
  await hold.renew();
  assertEquals([...host.locks], [id]);
  comeBack();
  await hold.renew();
  assertEquals([...host.locks], [id]);
});

Deno.test("DirectoryGuard says once that another monitor has locked the new messages directory, and tries again", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  await hold.open();
  const { id } = host.messages;
  host.messages.replace();
  host.locks.add(host.messages.id!);
  for (let i = 0; i < 3; i++) await hold.renew();
  assertEquals(host.log.lines, ["ERROR cannot lock /messages: another monitor runs on these messages"]);
  assertEquals([[...host.locks], hold.hasMessages], [[id, host.messages.id], false]);
  host.locks.clear();
  await hold.renew();
  assertEquals([[...host.locks], hold.hasMessages], [[host.messages.id], true]);
  assertEquals(host.log.lines.length, 1);
});

Deno.test("DirectoryGuard says nothing when the messages directory goes while it is being locked, and tries again", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  await hold.open();
  const { id } = host.messages;
  host.messages.replace();
  host.lockError = new Error("it is not there");
  await hold.renew();
  host.lockError = null;
  assertEquals([[...host.locks], hold.hasMessages], [[id], false]);
  await hold.renew();
  assertEquals([[...host.locks], hold.hasMessages], [[host.messages.id], true]);
  assertEquals(host.log.lines, []);
});

Deno.test("DirectoryGuard takes no messages once it lost the lock, for its file went and another monitor has made one", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  await hold.open();
  host.lostLocks.add(host.messages.id!);
  await hold.renew();
  assertEquals([hold.hasMessages, host.locks.size], [false, 1]);
  assertEquals(host.log.lines, ["ERROR cannot lock /messages: another monitor runs on these messages"]);
  host.lostLocks.clear();
  host.locks.clear();
  await hold.renew();
  assertEquals([hold.hasMessages, host.locks.size], [true, 1]);
});

Deno.test("DirectoryGuard goes on without a lock file where none can be made, and says so", async () => {
  const host = new FakeHost();
  host.lockFault = "needs --allow-write";
  const hold = holdOn(host);
  await hold.open();
  await hold.renew();
  assertEquals(hold.hasMessages, true);
  assertEquals([host.watches.paths.length, host.watches.probe], [2, null], "what is not there cannot be watched");
  assertEquals(host.log.lines, [
    "WARN cannot lock the messages directory, so another monitor on it would not be noticed: needs --allow-write",
  ]);
});

Deno.test("DirectoryGuard goes on with the messages directory that it locked when others can change the way to it", async () => {
  for (const isPinned of [true, false]) {
    const host = new FakeHost();
    host.isPinned = isPinned;
    const hold = holdOn(host);
    await hold.open();
    host.messages.untrusted = "lies in /home, which belongs to uid 1000";
    for (let i = 0; i < 3; i++) await hold.renew();
    assertEquals([hold.hasMessages, hold.isShared, host.locks.size], [true, true, 1]);
    host.messages.replace();
    await hold.renew();
    // Where it cannot be held open, nothing is taken from what stands there now.
    assertEquals([hold.hasMessages, host.messages.usedAt], [isPinned, isPinned ? "/messages" : null]);
    assertEquals(host.log.lines, [
      "ERROR the messages directory /messages lies in /home, which belongs to uid 1000: the one that was locked stays in use",
    ]);
    host.messages.untrusted = null;
    await hold.renew();
    assertEquals([hold.hasMessages, [...host.locks]], [true, [host.messages.id]]);
  }
});

Deno.test("DirectoryGuard refuses a messages directory that holds a config, unless others may have put it there", async () => {
  const host = new FakeHost();
  host.messages.write("1", '{"type": "RESTART", "name": "web"}');
  host.messages.write("2", "{");
  host.messages.write("web", '{"args": ["httpd"]}');
  const hold = holdOn(host);
  await assertRejects(
    () => hold.open(),
    Error,
    'Cannot use directory "/messages" for messages: "web" in it is a config: did you swap --config and --messages?',
  );
  assertEquals([host.locks.size, host.messages.names], [0, ["1", "2", "web"]]);
  host.messages.isShared = true;
  await holdOn(host).open();
});

Deno.test("DirectoryGuard does not watch a messages directory that others may write, and watches it when they may not any more", async () => {
  const host = new FakeHost();
  host.messages.isShared = true;
  const hold = holdOn(host);
  await hold.open();
  await hold.renew();
  assertEquals([hold.isShared, host.watches.paths], [true, ["/config"]]);
  host.messages.isShared = false;
  await hold.renew();
  assertEquals([hold.isShared, host.watches.paths], [false, ["/config", "/messages"]]);
  assertEquals(host.watches.open, 1);
});

Deno.test("DirectoryGuard says once that the watch hangs, and makes another when watches work again", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  await hold.open();
  host.watches.isHanging = true;
  host.watches.fault = "Deno's watches hang";
  for (let i = 0; i < 3; i++) await hold.renew();
  assertEquals(host.log.lines, [
    "WARN cannot watch the directories, so changes are seen only at each look at everything: Deno's watches hang",
  ]);
  host.watches.isHanging = false;
  host.watches.fault = null;
  await hold.renew();
  assertEquals(host.watches.open, 1);
});

Deno.test("DirectoryGuard makes no new watch while the directories are the same", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  await hold.open();
  host.config.write("web", "");
  for (let i = 0; i < 5; i++) await hold.renew();
  assertEquals([host.watches.asked, host.locks.size], [1, 1]);
});
