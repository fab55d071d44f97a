import { assert, assertEquals, assertRejects } from "@std/assert";
import { CheckService } from "@ncolony/host";
import { NotedCheck, World } from "./service_world.ts";

const WEB = '{"args": ["web"]}';
const DB = '{"args": ["db"]}';
const OFF = '{"args": ["off"], "ncolony.monitor": {"enabled": false}}';

Deno.test("CheckService checks at the start, and then at each scan", async () => {
  await using it = new World();
  await it.start();
  await it.clock.advance(30_000);
  assertEquals(it.takeChecked(), [0, 10_000, 20_000, 30_000]);
  assertEquals(it.config.calls.names, 4);
});

Deno.test("CheckService checks when something is due, and does not scan more often for that", async () => {
  await using it = new World();
  it.check.due = it.clock.now() + 3500;
  it.check.onCheck = () => {
    if (it.clock.now() >= it.check.due) it.check.due += 4000;
  };
  await it.start();
  await it.clock.advance(12_000);
  assertEquals(it.takeChecked(), [0, 3500, 7500, 10_000, 11_500]);
  assertEquals(it.config.calls.names, 2);
});

Deno.test("CheckService checks soon after it is woken, even by a check", async () => {
  await using it = new World();
  await it.start();
  await it.clock.advance(1000);
  it.check.parts.wake();
  it.check.onCheck = () => {
    it.check.onCheck = () => {};
    it.check.parts.wake();
  };
  await it.clock.settle();
  assertEquals(it.takeChecked(), [0, 1000, 1000]);
});

Deno.test("CheckService reports wanted and unwanted processes before it checks", async () => {
  await using it = new World();
  it.config.write("web", WEB);
  it.config.write("off", OFF);
  it.check.onCheck = () => it.check.events.push("check");
  await it.start();
  assertEquals(it.check.events.splice(0), [`web ${WEB}`, "check"]);
  assertEquals([...it.check.parts.specs.keys()].sort(), ["off", "web"]);
  it.config.post("web", DB);
  it.config.post("off", WEB);
  await it.clock.advance(11_000);
  assertEquals(it.check.events.splice(0).filter((event) => event !== "check").sort(), [`off ${WEB}`, `web ${DB}`]);
  it.config.remove("web");
  it.config.post("off", OFF);
  await it.clock.advance(11_000);
  assertEquals(it.check.events.splice(0).filter((event) => event !== "check").sort(), ["off unwanted", "web unwanted"]);
});

Deno.test("CheckService keeps the last valid config in force, and logs each problem once", async () => {
  await using it = new World();
  it.config.write("web", WEB);
  await it.start();
  it.config.write("web", '{"args": "hunter2"}');
  it.config.plant("fifo", "is a FIFO");
  await it.clock.advance(60_000);
  assertEquals([it.check.events, it.check.parts.specs.get("web")?.source], [[`web ${WEB}`], WEB]);
  assertEquals([it.log.count("web: invalid config"), it.log.count("fifo: invalid config"), it.log.count("hunter2")], [
    1,
    1,
    0,
  ]);
  it.config.write("web", DB);
  await it.clock.advance(11_000);
  assertEquals(it.check.events, [`web ${WEB}`, `web ${DB}`]);
});

Deno.test("CheckService goes on while its directory is missing, and after it came back", async () => {
  await using it = new World();
  it.config.write("web", WEB);
  await it.start();
  const bringBack = it.config.vanish();
  await it.clock.advance(30_000);
  assertEquals([it.check.events.length, it.takeChecked().length, it.log.count("no such file or directory")], [1, 4, 1]);
  bringBack();
  it.config.write("db", DB);
  await it.clock.advance(11_000);
  assertEquals([it.check.events, it.log.count("can be read again")], [[`web ${WEB}`, `db ${DB}`], 1]);
});

Deno.test("CheckService.stop() ends the checks, closes and flushes, and leaves no timer", async () => {
  await using it = new World();
  await it.start();
  const stopping = it.service.stop();
  await it.clock.settle();
  await stopping;
  assertEquals([it.exitCode, it.ended, it.clock.waiting], [0, ["closed 1 times, then flushed"], 0]);
  it.takeChecked();
  await it.service.stop();
  await it.clock.advance(60_000);
  assertEquals([it.takeChecked(), it.check.closed, it.log.lines], [[], 1, []]);
});

Deno.test("CheckService.stop() in the middle of a scan ends it without events or checks", async () => {
  await using it = new World();
  for (let i = 0; i < 100; i++) it.config.write(`web${i}`, WEB);
  it.config.costMs = 1;
  it.clock.holdsYields = true;
  await it.start();
  const told = it.check.events.length;
  assert(told > 0 && told < 100, `${told}`);
  const stopping = it.service.stop();
  it.clock.holdsYields = false;
  await it.clock.settle();
  await stopping;
  assertEquals([it.check.events.length, it.takeChecked(), it.exitCode], [told, [], 0]);
});

Deno.test("CheckService exits with 1, closed and flushed, if a check throws", async () => {
  await using it = new World();
  await it.start();
  it.check.onCheck = () => {
    throw new Error("unforeseen");
  };
  await it.clock.advance(10_000);
  assertEquals([it.exitCode, it.ended], [1, ["closed 1 times, then flushed"]]);
  assertEquals([it.log.count("ERROR internal error, stopping: Error: unforeseen"), it.clock.waiting], [1, 0]);
});

Deno.test("CheckService exits with 1 when fail() reports an error", async () => {
  await using it = new World();
  await it.start();
  it.service.fail("unforeseen");
  await it.clock.settle();
  assertEquals([it.exitCode, it.log.take()], [1, ["ERROR internal error, stopping: unforeseen"]]);
});

Deno.test("CheckService starts only once, and only if both directories exist and differ", async () => {
  for (const which of ["config", "messages"] as const) {
    const it = new World();
    const directory = which === "config" ? it.config : it.host.messages;
    directory.vanish();
    await assertRejects(
      () => it.service.start(),
      Error,
      `Cannot use directory "${directory.path}": no such file or directory`,
    );
    assertEquals(await it.service.ended, 1);
  }
  await using it = new World();
  await it.start();
  await assertRejects(() => it.service.start(), TypeError, "Cannot start a service twice");
  const { port } = it.config;
  const output = { log: it.log, flush: () => Promise.resolve() };
  const one = {
    name: "check",
    clock: it.clock,
    directory: port,
    messagesDirectory: port,
    pids: null,
    status: null,
    output,
  };
  const both = new CheckService(10, one, (parts) => new NotedCheck(parts));
  await assertRejects(() => both.start(), Error, "Cannot use one directory for both");
});
