/** The fakes must behave like the real thing, or the other tests here would prove nothing. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { denoHost, type Host, type MessagesDirectory } from "@ncolony/host";
import { sample } from "../core/samples.ts";
import { tempDir, until } from "../helpers.ts";
import { FakeHost } from "./fake_host.ts";

/** A messages directory, and the actions of another program on it. */
interface Directory extends Disposable {
  readonly host: Host;
  readonly messagesDirectory: MessagesDirectory;
  write(name: string, text: string): void;
  remove(name: string): void;
  move(from: string, to: string): void;
  replace(): void;
}

function realDirectory(): Directory {
  const dir = tempDir();
  const path = dir.dir("messages");
  const host = denoHost();
  return {
    host,
    messagesDirectory: host.messagesDirectory(path),
    write: (name, text) => Deno.writeTextFileSync(`${path}/${name}`, text),
    remove: (name) => Deno.removeSync(`${path}/${name}`),
    move: (from, to) => Deno.renameSync(`${path}/${from}`, `${path}/${to}`),
    replace: () => {
      Deno.renameSync(path, dir.file("elsewhere"));
      Deno.mkdirSync(path);
    },
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

function fakeDirectory(): Directory {
  const host = new FakeHost();
  const { messages } = host;
  return {
    host,
    messagesDirectory: messages.port,
    write: (name, text) => messages.write(name, text),
    remove: (name) => messages.remove(name),
    move: (from, to) => messages.move(from, to),
    replace: () => messages.replace(),
    [Symbol.dispose]: () => {},
  };
}

for (const [kind, open] of [["real", realDirectory], ["fake", fakeDirectory]] as const) {
  Deno.test(`a ${kind} directory shows its files`, () => {
    using it = open();
    const { messagesDirectory } = it;
    assertEquals([messagesDirectory.names(), messagesDirectory.stamp("1"), messagesDirectory.read("1")], [
      [],
      null,
      null,
    ]);
    for (const name of ["1", "2", ".3", "4.new"]) it.write(name, `text ${name}`);
    assertEquals((messagesDirectory.names() as string[]).sort(), ["1", "2"]);
    const reading = messagesDirectory.read("1");
    assertEquals(reading, { stamp: messagesDirectory.stamp("1")!, entry: { source: "text 1" } });
    assertEquals(messagesDirectory.stamp("1"), messagesDirectory.stamp("1"));
    it.write("1", "another text");
    assertNotEquals(messagesDirectory.stamp("1"), reading?.stamp);
    const { marks } = messagesDirectory.stamp("2")!;
    it.move("2", "1");
    assertEquals(messagesDirectory.stamp("1")!.marks.slice(0, 3), marks.slice(0, 3), "the same file");
    it.remove("1");
    assertEquals([messagesDirectory.names(), messagesDirectory.stamp("1")], [[], null]);
  });

  Deno.test(`a ${kind} messages directory removes and rejects messages`, () => {
    using it = open();
    for (const name of ["1", "2"]) it.write(name, "text");
    assertEquals(
      [it.messagesDirectory.remove("1"), it.messagesDirectory.remove("1"), it.messagesDirectory.reject("2")],
      [null, null, null],
    );
    assertEquals(it.messagesDirectory.names(), []);
  });

  Deno.test(`a ${kind} directory has an identity and one lock, and so has a directory that replaces it`, async () => {
    using it = open();
    const { host, messagesDirectory } = it;
    const before = messagesDirectory.identity();
    assertEquals(messagesDirectory.identity(), before);
    using lock = await host.lock(messagesDirectory.path, 0);
    assertEquals([lock === null, await host.lock(messagesDirectory.path, 0)], [false, null]);
    it.replace();
    assert("id" in before && JSON.stringify(messagesDirectory.identity()) !== JSON.stringify(before));
    using second = await host.lock(messagesDirectory.path, 0);
    assert(second !== null);
    assert("fault" in host.messagesDirectory("/nowhere/at/all").identity() || kind === "fake");
  });

  Deno.test(`a ${kind} child reports the exit of its leader, then of its group, once, and ignores signals after that`, async () => {
    using it = open();
    const told: string[] = [];
    const sink = {
      leaderExited: (exit: unknown) => void told.push(JSON.stringify(exit)),
      groupExited: () => void told.push("group-exited"),
      warn: (message: string) => void told.push(message),
    };
    const output = { stdout: () => {}, stderr: () => {}, end: () => void told.push("end") };
    const { host } = it;
    if (host instanceof FakeHost) host.children.script("missing", { cannotStart: "no such file or directory" });
    assertEquals(host.spawn(sample("missing", { args: ["/nowhere/at/all"] }), output, sink), null);
    assertEquals(told.map((what) => what.replace(/,"reason".*/, "")), ["end", '{"type":"failed"', "group-exited"]);
    told.length = 0;
    const child = host.spawn(sample("web", { args: ["sleep", "1000"] }), output, sink);
    assert(child !== null && child.pid > 0 && !child.refused);
    child.signal("SIGTERM");
    assertEquals(told, [], "not in the turn of the signal");
    await until("it has ended", () => {
      if (host instanceof FakeHost) host.clock.settle();
      return told.length === 3;
    });
    assertEquals(told.filter((what) => what !== "end"), ['{"type":"signal","signal":"SIGTERM"}', "group-exited"]);
    child.signal("SIGKILL");
    child.retry();
    assertEquals([told.length, child.refused], [3, false]);
  });
}

Deno.test("a fake watch reports changes of its directories until they are replaced", () => {
  const host = new FakeHost();
  const told: string[] = [];
  const watch = host.watch(["/config"], {
    touched: (directory, name, touch) => void told.push(`${directory} ${name} ${touch}`),
    rescan: () => void told.push("rescan"),
    failed: (reason) => void told.push(reason),
  });
  host.messages.write("1", "");
  host.config.write("web", "");
  host.config.write(".web", "");
  host.config.move(".web", "web");
  host.config.move("web", "db");
  assertEquals(told.splice(0), [
    "/config web changed",
    "/config web changed",
    "/config web renamed",
    "/config web gone",
    "/config db changed",
    "/config db changed",
  ]);
  host.config.replace();
  host.config.write("web", "");
  assertEquals(told, []);
  watch.close();
  host.watches.fail("it ended");
  assertEquals(told, []);
  host.config.vanish();
  assertThrows(() => host.watch(["/config"], { touched: () => {}, rescan: () => {}, failed: () => {} }), Error);
});

Deno.test("a fake clock fires timers in order, and lets other tasks run between them", async () => {
  const { clock } = new FakeHost();
  const begin = clock.now();
  const told: string[] = [];
  const tell = (what: string) => () => {
    told.push(`${clock.now() - begin} ${what}`);
    queueMicrotask(() => told.push(`after ${what}`));
  };
  clock.after(20, tell("c"));
  clock.after(10, tell("a"));
  clock.after(10, tell("b"));
  clock.after(30, tell("d"))();
  await clock.advance(9);
  clock.yield().then(tell("yield"));
  assertEquals(told, []);
  await clock.advance(100);
  assertEquals(told, ["9 yield", "after yield", "10 a", "after a", "10 b", "after b", "20 c", "after c"]);
  assertEquals([clock.now() - begin, clock.wakeups, clock.waiting], [109, 3, 0]);
});
