import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DirectoryGuard } from "../../monitor/guard.ts";
import { FakeHost } from "./fake_host.ts";

/** Creates a guard of the two directories of a fake host. */
function guardOf(host: FakeHost, messages = host.messages): DirectoryGuard {
  const listener = { touched: () => {}, rescan: () => {}, failed: () => {} };
  return new DirectoryGuard(host, {
    config: host.config.port,
    messagesDirectory: messages.port,
    own: {},
    log: host.log,
    listener,
  });
}

Deno.test("DirectoryGuard locks and watches the directories, and releases them", async () => {
  const host = new FakeHost();
  const guard = guardOf(host);
  await guard.open();
  assertEquals([[...host.locks], host.watches.open], [[host.messages.id], 0]);
  await guard.renew();
  assertEquals([host.locks.size, host.watches.open], [1, 1]);
  await guard.close();
  await guard.close();
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
  await guardOf(host).open();
});

Deno.test("DirectoryGuard rejects a messages directory that another monitor has locked, and leaves that lock alone", async () => {
  const host = new FakeHost();
  await guardOf(host).open();
  const second = guardOf(host);
  await assertRejects(
    () => second.open(),
    Error,
    'Cannot lock "/messages": another monitor uses this messages directory',
  );
  await second.close();
  assertEquals(host.locks.size, 1);
});

Deno.test("DirectoryGuard rejects one directory for both configs and messages, whatever its path", () => {
  const host = new FakeHost();
  const linked = { ...host.messages.port, identity: () => host.config.port.identity() };
  const listener = { touched: () => {}, rescan: () => {}, failed: () => {} };
  for (const messagesDirectory of [host.config.port, linked]) {
    const guard = new DirectoryGuard(host, {
      config: host.config.port,
      messagesDirectory,
      own: {},
      log: host.log,
      listener,
    });
    assertThrows(() => guard.open(), Error, "Cannot use one directory for both config and messages");
  }
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
});

Deno.test("DirectoryGuard rejects a missing directory, and names its path", () => {
  const host = new FakeHost();
  const comeBack = host.config.vanish();
  assertThrows(() => guardOf(host).open(), Error, 'Cannot use directory "/config": no such file or directory');
  comeBack();
  host.messages.vanish();
  assertThrows(() => guardOf(host).open(), Error, 'Cannot use directory "/messages": no such file or directory');
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
});

Deno.test("DirectoryGuard continues without a watch if none can be created, and logs that", async () => {
  const host = new FakeHost();
  host.watches.fault = "no inotify instance is left";
  const guard = guardOf(host);
  await guard.open();
  await guard.renew();
  assertEquals(host.log.lines.length, 1);
  assertEquals(host.locks.size, 1);
});

Deno.test("DirectoryGuard moves the lock to a directory that replaces the messages directory", async () => {
  const host = new FakeHost();
  const guard = guardOf(host);
  await guard.open();
  await guard.renew();
  host.messages.replace();
  await guard.renew();
  await guard.renew();
  assertEquals([...host.locks], [host.messages.id]);
  assertEquals([host.watches.made, host.watches.open], [2, 1]);
  assertEquals(host.log.lines, []);
});

Deno.test("DirectoryGuard keeps the lock while the messages directory is missing", async () => {
  const host = new FakeHost();
  const guard = guardOf(host);
  await guard.open();
  const { id } = host.messages;
  const comeBack = host.messages.vanish();
  await guard.renew();
  assertEquals([...host.locks], [id]);
  comeBack();
  await guard.renew();
  assertEquals([...host.locks], [id]);
});

Deno.test("DirectoryGuard logs once that another monitor has locked the new messages directory, and tries again", async () => {
  const host = new FakeHost();
  const guard = guardOf(host);
  await guard.open();
  const { id } = host.messages;
  host.messages.replace();
  host.locks.add(host.messages.id!);
  for (let i = 0; i < 3; i++) await guard.renew();
  assertEquals(host.log.lines, ["ERROR cannot lock /messages: another monitor uses this messages directory"]);
  assertEquals([[...host.locks], guard.hasMessages], [[id, host.messages.id], false]);
  host.locks.clear();
  await guard.renew();
  assertEquals([[...host.locks], guard.hasMessages], [[host.messages.id], true]);
  assertEquals(host.log.lines.length, 1);
});

Deno.test("DirectoryGuard logs nothing if the messages directory disappears while it is being locked, and tries again", async () => {
  const host = new FakeHost();
  const guard = guardOf(host);
  await guard.open();
  const { id } = host.messages;
  host.messages.replace();
  host.lockError = new Error("no such file or directory");
  await guard.renew();
  host.lockError = null;
  assertEquals([[...host.locks], guard.hasMessages], [[id], false]);
  await guard.renew();
  assertEquals([[...host.locks], guard.hasMessages], [[host.messages.id], true]);
  assertEquals(host.log.lines, []);
});

Deno.test("DirectoryGuard allows no messages after its lock file was removed and another monitor created one", async () => {
  const host = new FakeHost();
  const guard = guardOf(host);
  await guard.open();
  host.lostLocks.add(host.messages.id!);
  await guard.renew();
  assertEquals([guard.hasMessages, host.locks.size], [false, 1]);
  assertEquals(host.log.lines, ["ERROR cannot lock /messages: another monitor uses this messages directory"]);
  host.lostLocks.clear();
  host.locks.clear();
  await guard.renew();
  assertEquals([guard.hasMessages, host.locks.size], [true, 1]);
});

Deno.test("DirectoryGuard continues without a lock file if none can be created, and logs that", async () => {
  const host = new FakeHost();
  host.lockFault = "needs --allow-write";
  const guard = guardOf(host);
  await guard.open();
  await guard.renew();
  assertEquals(guard.hasMessages, true);
  assertEquals([host.watches.paths.length, host.watches.probe], [2, null], "what is not there cannot be watched");
  assertEquals(host.log.lines, [
    "WARN cannot lock the messages directory: needs --allow-write; a second monitor that uses it would not be noticed",
  ]);
});

Deno.test("DirectoryGuard keeps using the locked messages directory when other users can change its path", async () => {
  for (const isPinned of [true, false]) {
    const host = new FakeHost();
    host.isPinned = isPinned;
    const guard = guardOf(host);
    await guard.open();
    host.messages.untrusted = 'its parent directory "/home" is owned by uid 1000';
    for (let i = 0; i < 3; i++) await guard.renew();
    assertEquals([guard.hasMessages, guard.isShared, host.locks.size], [true, true, 1]);
    host.messages.replace();
    await guard.renew();
    // If it cannot be held open, no messages are taken from the directory at the path.
    assertEquals([guard.hasMessages, host.messages.usedAt], [isPinned, isPinned ? "/messages" : null]);
    assertEquals(host.log.lines, [
      'ERROR cannot use the new messages directory /messages: its parent directory "/home" is owned by uid 1000; the old one stays in use',
    ]);
    host.messages.untrusted = null;
    await guard.renew();
    assertEquals([guard.hasMessages, [...host.locks]], [true, [host.messages.id]]);
  }
});

Deno.test("DirectoryGuard rejects a messages directory that contains a config, unless other users may have put it there", async () => {
  const host = new FakeHost();
  host.messages.write("1", '{"type": "RESTART", "name": "web"}');
  host.messages.write("2", "{");
  host.messages.write("web", '{"args": ["httpd"]}');
  const guard = guardOf(host);
  await assertRejects(
    () => guard.open(),
    Error,
    'Cannot use directory "/messages" for messages: it contains the config "web"; did you swap --config and --messages?',
  );
  assertEquals([host.locks.size, host.messages.names], [0, ["1", "2", "web"]]);
  host.messages.isShared = true;
  await guardOf(host).open();
});

Deno.test("DirectoryGuard does not watch a messages directory while other users may write it", async () => {
  const host = new FakeHost();
  host.messages.isShared = true;
  const guard = guardOf(host);
  await guard.open();
  await guard.renew();
  assertEquals([guard.isShared, host.watches.paths], [true, ["/config"]]);
  host.messages.isShared = false;
  await guard.renew();
  assertEquals([guard.isShared, host.watches.paths], [false, ["/config", "/messages"]]);
  assertEquals(host.watches.open, 1);
});

Deno.test("DirectoryGuard logs once that the watch hangs, and creates another when watches work again", async () => {
  const host = new FakeHost();
  const guard = guardOf(host);
  await guard.open();
  host.watches.isHanging = true;
  host.watches.fault = "Deno's watches hang";
  for (let i = 0; i < 3; i++) await guard.renew();
  assertEquals(host.log.lines, [
    "WARN cannot watch the directories: Deno's watches hang; changes are only seen at the next full scan (--frequency)",
  ]);
  host.watches.isHanging = false;
  host.watches.fault = null;
  await guard.renew();
  assertEquals(host.watches.open, 1);
});

Deno.test("DirectoryGuard creates no new watch while the directories are the same", async () => {
  const host = new FakeHost();
  const guard = guardOf(host);
  await guard.open();
  host.config.write("web", "");
  for (let i = 0; i < 5; i++) await guard.renew();
  assertEquals([host.watches.asked, host.locks.size], [1, 1]);
});
