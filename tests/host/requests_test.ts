import { assertEquals, assertNotEquals } from "@std/assert";
import { parseMessage } from "@ncolony/core";
import { messageDirectory, RestartRequests } from "@ncolony/host";
import { sample } from "../core/samples.ts";
import { run } from "../cli/tools.ts";
import { type TempDir, tempDir } from "../helpers.ts";
import { FakeLog } from "../monitor/fake_host.ts";

const SPECS = new Map(
  [
    sample("web", { group: ["eu", "all"] }),
    sample("db", { group: ["all"] }),
    sample("off", { group: ["all"], "ncolony.monitor": { enabled: false } }),
  ].map((spec) => [spec.name, spec]),
);

/** Requests in a real messages directory. */
class World implements Disposable {
  readonly dir: TempDir = tempDir();
  readonly messages = this.dir.dir("messages");
  readonly log = new FakeLog([]);
  readonly requests = new RestartRequests({
    messagesDirectory: messageDirectory(this.messages),
    specs: SPECS,
    from: "check",
    incarnationOf: (name) => name === "api" ? 7 : null,
    log: this.log,
  });

  /** Returns the names of the processes whose restart is asked for, sorted. */
  unread(): string[] {
    const unread = this.requests.unread();
    return [...unread.keys()].sort();
  }

  /** The names of the messages, sorted. */
  get files(): string[] {
    return [...Deno.readDirSync(this.messages)].map(({ name }) => name).sort();
  }

  /** Returns the unread names if a file with this text is the only message. */
  unreadWith(text: string, name = "1"): string[] {
    const path = this.dir.write(`messages/${name}`, text);
    const unread = this.unread();
    Deno.removeSync(path);
    return unread;
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

Deno.test("RestartRequests.ask() writes a message that the monitor understands, and logs the reason", () => {
  using it = new World();
  const file = it.requests.ask("web", "no heartbeat for 10 s");
  assertEquals(it.files, [file]);
  const text = Deno.readTextFileSync(`${it.messages}/${file}`);
  assertEquals(parseMessage(file!, text), {
    type: "RESTART",
    name: "web",
    from: "check",
    reason: "no heartbeat for 10 s",
  });
  assertEquals(it.log.take(), ["WARN web: no heartbeat for 10 s: asked for a restart"]);
  assertEquals([it.files.length, it.unread()], [1, ["web"]]);
  Deno.removeSync(`${it.messages}/${file}`);
  assertEquals(it.unread(), []);
});

Deno.test("RestartRequests.ask() takes any name", () => {
  using it = new World();
  for (const name of ["a b", "é\u2028", '"', "..web", "x".repeat(255)]) {
    const file = it.requests.ask(name, "reason");
    const path = `${it.messages}/${file}`;
    assertEquals(parseMessage(file!, Deno.readTextFileSync(path)), {
      type: "RESTART",
      name,
      from: "check",
      reason: "reason",
    });
    Deno.removeSync(path);
  }
});

Deno.test("RestartRequests.unread() finds requests of other programs", () => {
  using it = new World();
  assertEquals(it.unreadWith('{"type": "RESTART", "name": "web"}'), ["web"]);
  assertEquals(it.unreadWith('{"type": "restart", "value": "db"}'), ["db"]);
  assertEquals(it.unreadWith('{"type": "RESTART-ALL"}'), ["db", "web"]);
  assertEquals(it.unreadWith('{"type": "RESTART-GROUP", "group": "all"}'), ["db", "web"]);
  assertEquals(it.unreadWith('{"type": "RESTART-GROUP", "group": "eu"}'), ["web"]);
  it.dir.write("messages/1", '{"type": "RESTART", "name": "web"}');
  it.dir.write("messages/2", '{"type": "RESTART", "name": "db"}');
  it.dir.write("messages/3", '{"type": "RESTART", "name": "web"}');
  assertEquals(it.unread(), ["db", "web"]);
});

Deno.test("RestartRequests.unread() ignores messages that ask for nothing, or are not sent yet", () => {
  using it = new World();
  assertEquals(it.unreadWith('{"type": "RESTART", "name": "off"}'), []);
  assertEquals(it.unreadWith('{"type": "RESTART", "name": "unknown"}'), []);
  assertEquals(it.unreadWith('{"type": "RESTART-GROUP", "group": "unknown"}'), []);
  for (const bad of ["", "RESTART web", "[]", '{"type": "STOP"}', '{"type": "RESTART"}', '{"type": "RESTART-GROUP"}']) {
    assertEquals(it.unreadWith(bad), [], bad);
  }
  assertEquals(it.unreadWith(`{"type": "RESTART-ALL"}${" ".repeat(65_536)}`), [], "too large");
  for (const name of [".1", "1.new"]) assertEquals(it.unreadWith('{"type": "RESTART-ALL"}', name), [], name);
  assertEquals(it.log.lines, []);
});

Deno.test("RestartRequests.unread() ignores symlinks, FIFOs and directories, and reads the messages after them", async () => {
  using it = new World();
  const all = it.dir.write("all", '{"type": "RESTART-ALL"}');
  Deno.symlinkSync(all, `${it.messages}/1`);
  Deno.symlinkSync("nowhere", `${it.messages}/2`);
  Deno.mkdirSync(`${it.messages}/3`);
  await run(["mkfifo", `${it.messages}/4`]);
  assertEquals(it.unread(), []);
  it.dir.write("messages/5", '{"type": "RESTART", "name": "web"}');
  assertEquals(it.unread(), ["web"]);
});

Deno.test("RestartRequests logs once that it cannot ask, and asks again once it can", () => {
  using it = new World();
  const away = it.dir.file("away");
  const rounds: string[][] = [];
  for (const _ of [1, 2]) {
    Deno.renameSync(it.messages, away);
    const asked = [it.requests.ask("web", "reason"), it.requests.ask("db", "reason")];
    assertEquals([asked, it.unread()], [[null, null], []]);
    Deno.renameSync(away, it.messages);
    assertNotEquals(it.requests.ask("web", "reason"), null);
    rounds.push(it.log.take());
  }
  const fault = `ERROR cannot request restarts, because writing to ${it.messages} failed: no such file or directory`;
  const lines = [fault, "WARN web: reason: asked for a restart"];
  assertEquals([rounds, it.unread()], [[lines, lines], ["web"]]);
  assertEquals(it.files.filter((file) => file.endsWith(".new")), []);
});

Deno.test("RestartRequests logs again if the reason changes", () => {
  using it = new World();
  Deno.removeSync(it.messages);
  it.requests.ask("web", "reason");
  Deno.writeTextFileSync(it.messages, "a file");
  for (const _ of [1, 2]) assertEquals(it.requests.ask("web", "reason"), null);
  assertEquals([it.log.lines.length, it.log.count("no such file or directory")], [2, 1]);
});

Deno.test("RestartRequests.askAll() asks once for each process, and pending() returns the unread requests", () => {
  using it = new World();
  it.requests.ask("db", "reason");
  const reasons = new Map([["web", "it is ill"], ["db", "it is ill too"]]);
  assertEquals(it.requests.askAll(reasons), ["web", "db"]);
  assertEquals([it.files.length, it.requests.pending()], [2, ["web", "db"]]);
  Deno.removeSync(`${it.messages}/${it.files[0]}`);
  assertEquals(it.requests.pending(), ["web"]);
  Deno.removeSync(`${it.messages}/${it.files[0]}`);
  assertEquals(it.requests.pending(), []);
  assertEquals(it.requests.askAll(new Map()), []);
});
