import { assertEquals, assertThrows } from "@std/assert";
import { Hold } from "../../monitor/hold.ts";
import { FakeHost } from "./fake_host.ts";

/** A hold on the two directories of a machine in memory. */
function holdOn(host: FakeHost, messages = host.messages): Hold {
  const sink = { touched: () => {}, rescan: () => {}, failed: () => {} };
  return new Hold(host, { config: host.config.port, mailbox: messages.port, log: host.log, sink });
}

Deno.test("Hold locks and watches the directories, and lets them go", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  hold.open();
  assertEquals([...host.locks], [host.messages.id]);
  assertEquals(host.watches.open, 1);
  await hold.close();
  await hold.close();
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
  holdOn(host).open();
});

Deno.test("Hold refuses messages that another monitor has locked, and leaves its lock alone", () => {
  const host = new FakeHost();
  holdOn(host).open();
  const second = holdOn(host);
  assertThrows(() => second.open(), Error, 'Cannot lock "/messages": another monitor runs on these messages');
  second.close();
  assertEquals([host.locks.size, host.watches.open], [1, 1]);
});

Deno.test("Hold refuses one directory for both, however it is called", () => {
  const host = new FakeHost();
  const linked = { ...host.messages.port, identity: () => host.config.port.identity() };
  const sink = { touched: () => {}, rescan: () => {}, failed: () => {} };
  for (const mailbox of [host.config.port, linked]) {
    const hold = new Hold(host, { config: host.config.port, mailbox, log: host.log, sink });
    assertThrows(() => hold.open(), Error, "Cannot use one directory for both config and messages");
  }
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
});

Deno.test("Hold refuses a directory that is missing, by its path", () => {
  const host = new FakeHost();
  const comeBack = host.config.vanish();
  assertThrows(() => holdOn(host).open(), Error, 'Cannot use directory "/config": it is not there');
  comeBack();
  host.messages.vanish();
  assertThrows(() => holdOn(host).open(), Error, 'Cannot use directory "/messages": it is not there');
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
});

Deno.test("Hold opens without a watch where there is none to be had, and says so", () => {
  const host = new FakeHost();
  host.watches.fault = "no inotify instance is left";
  holdOn(host).open();
  assertEquals(host.log.lines.length, 1);
  assertEquals(host.locks.size, 1);
});

Deno.test("Hold moves the lock to the messages directory that comes in the place of the first", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  hold.open();
  host.messages.replace();
  await hold.renew();
  await hold.renew();
  assertEquals([...host.locks], [host.messages.id]);
  assertEquals([host.watches.made, host.watches.open], [2, 1]);
  assertEquals(host.log.lines, []);
});

Deno.test("Hold keeps the lock while the messages directory is gone", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  hold.open();
  const { id } = host.messages;
  const comeBack = host.messages.vanish();
  await hold.renew();
  assertEquals([...host.locks], [id]);
  comeBack();
  await hold.renew();
  assertEquals([...host.locks], [id]);
});

Deno.test("Hold says once that another monitor has locked the new messages directory, and tries again", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  hold.open();
  host.messages.replace();
  host.locks.add(host.messages.id!);
  for (let i = 0; i < 3; i++) await hold.renew();
  assertEquals(host.log.lines, ["ERROR cannot lock /messages: another monitor runs on these messages"]);
  host.locks.clear();
  await hold.renew();
  assertEquals([...host.locks], [host.messages.id]);
  assertEquals(host.log.lines.length, 1);
});

Deno.test("Hold says nothing when the messages directory goes while it is being locked, and tries again", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  hold.open();
  host.messages.replace();
  host.lockError = new Error("it is not there");
  await hold.renew();
  host.lockError = null;
  assertEquals(host.locks.size, 0);
  await hold.renew();
  assertEquals([...host.locks], [host.messages.id]);
  assertEquals(host.log.lines, []);
});

Deno.test("Hold makes no new watch while the directories are the same", async () => {
  const host = new FakeHost();
  const hold = holdOn(host);
  hold.open();
  host.config.write("web", "");
  for (let i = 0; i < 5; i++) await hold.renew();
  assertEquals([host.watches.asked, host.locks.size], [1, 1]);
});
