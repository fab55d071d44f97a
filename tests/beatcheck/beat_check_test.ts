import { assert, assertEquals, assertRejects } from "@std/assert";
import { check } from "@ncolony/beatcheck";
import { BeatCheck } from "../../beatcheck/beat_check.ts";
import { CheckWorld } from "../host/check_world.ts";
import { type TempDir, tempDir } from "../helpers.ts";

const DAY_MS = 86_400_000;

/** A check that is called every second. */
class World extends CheckWorld {
  readonly check = new BeatCheck(this.parts);
  readonly status = this.dir.dir("hearts");

  /** Adds a process whose heart must beat every 10 s, with a grace period of 30 s. */
  beating(name: string): void {
    this.want(this.check, name, { "ncolony.beatcheck": { period: 10, grace: 3, status: this.status } });
  }

  touch(name: string): void {
    const now = new Date(this.clock.wall());
    Deno.utimeSync(this.dir.write(`hearts/${name}`, ""), now, now);
  }

  /** Advances the clock, and checks every second. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await this.clock.advance(1000);
      this.check.check();
    }
  }

  /** Advances the clock while these processes beat. */
  async passBeating(seconds: number, ...names: string[]): Promise<void> {
    for (let second = 0; second < seconds; second += 5) {
      for (const name of names) this.touch(name);
      await this.pass(5);
    }
  }
}

Deno.test("BeatCheck requests the restart of silent processes, and of no others", async () => {
  using it = new World();
  for (const name of ["web", "db", "dns"]) it.beating(name);
  await it.passBeating(30, "db");
  assertEquals(it.asked, []);
  await it.passBeating(5, "db");
  assertEquals(it.asked.sort(), ["dns", "web"]);
  assertEquals(
    it.log.take().sort(),
    ["dns", "web"].map((name) => {
      return `WARN ${name}: no heartbeat for 10 s: asked for a restart`;
    }),
  );
});

Deno.test("BeatCheck requests one restart per grace period of a process that never beats", async () => {
  using it = new World();
  it.beating("web");
  const instants: number[] = [];
  for (let second = 1; second <= 130; second++) {
    await it.pass(1);
    if (it.takeAsked().length > 0) instants.push(second);
  }
  assertEquals(instants, [31, 62, 93, 124]);
});

Deno.test("BeatCheck makes no second request while the first one is unread, whoever made it", async () => {
  using it = new World();
  for (const name of ["web", "db"]) it.beating(name);
  it.dir.write("messages/1", '{"type": "RESTART", "name": "db"}');
  await it.pass(500);
  assertEquals(it.asked.sort(), ["db", "web"]);
});

Deno.test("BeatCheck starts the grace period when a request is read long after it was made", async () => {
  using it = new World();
  it.beating("web");
  // A grace period that began with the request would end at 62, 93 and 124 s.
  await it.pass(100);
  assertEquals(it.takeAsked(), ["web"]);
  await it.pass(29);
  assertEquals(it.takeAsked(), []);
  await it.pass(3);
  assertEquals(it.takeAsked(), ["web"]);
});

Deno.test("BeatCheck starts the grace period when a request is read just before the previous one ends", async () => {
  using it = new World();
  it.beating("web");
  await it.pass(31);
  assertEquals(it.asked, ["web"]);
  await it.pass(29);
  assertEquals(it.takeAsked(), ["web"], "the monitor reads it only now");
  await it.pass(28);
  assertEquals(it.takeAsked(), []);
  await it.pass(3);
  assertEquals(it.takeAsked(), ["web"]);
});

for (const [way, shiftMs] of [["forward", DAY_MS], ["back", -DAY_MS]] as const) {
  Deno.test(`BeatCheck restarts no process when the clock jumps ${way}, logs that once, and keeps checking`, async () => {
    using it = new World();
    const names = ["web", "db", "dns"];
    // The configs were changed long ago.
    it.clock.wallShiftMs = -2 * DAY_MS;
    for (const name of names) it.beating(name);
    it.clock.wallShiftMs = 0;
    await it.passBeating(60, ...names);
    it.clock.wallShiftMs = shiftMs;
    await it.pass(4);
    await it.passBeating(60, ...names);
    const seconds = `${shiftMs / 1000}.0`;
    const told = `WARN the clock jumped by ${seconds} s, or the machine was suspended: every grace period starts again`;
    assertEquals([it.asked, it.log.take()], [[], [told]]);
    await it.passBeating(40, "db", "dns");
    assertEquals(it.asked, ["web"]);
  });
}

Deno.test("BeatCheck does not treat small corrections of the clock as jumps", async () => {
  using it = new World();
  it.beating("web");
  for (let second = 0; second < 40; second++) {
    it.clock.wallShiftMs += 500;
    await it.pass(1);
  }
  assertEquals([it.asked, it.log.count("jumped")], [["web"], 0]);
});

Deno.test("BeatCheck retries a request that it could not send", async () => {
  using it = new World();
  it.beating("web");
  Deno.renameSync(it.messages, it.dir.file("away"));
  await it.pass(60);
  assertEquals([it.log.lines.length, it.log.count("ERROR cannot request restarts")], [1, 1]);
  Deno.renameSync(it.dir.file("away"), it.messages);
  await it.pass(1);
  assertEquals(it.asked, ["web"]);
});

Deno.test("BeatCheck forgets a process that is removed, and gives it a grace period when it is back", async () => {
  using it = new World();
  it.beating("web");
  await it.pass(31);
  assertEquals(it.takeAsked(), ["web"]);
  it.drop(it.check, "web");
  await it.pass(100);
  assertEquals(it.asked, []);
  it.beating("web");
  await it.pass(30);
  assertEquals(it.asked, []);
  await it.pass(1);
  assertEquals(it.asked, ["web"]);
});

/** Writes the config of a process that must beat every 10 s. */
function written(dir: TempDir, name: string, keys: Record<string, unknown> = {}): void {
  const beat = { period: 10, grace: 3, status: dir.path };
  dir.write(`config/${name}`, JSON.stringify({ args: ["httpd"], "ncolony.beatcheck": beat, ...keys }));
}

Deno.test("check() returns the silent processes, and none that is disabled or invalid", async () => {
  using dir = tempDir();
  const config = dir.dir("config");
  for (const name of ["web", "db", "later.new", ".hidden"]) written(dir, name);
  written(dir, "off", { "ncolony.monitor": { enabled: false } });
  written(dir, "bad", { args: 3 });
  written(dir, "worse", { "ncolony.beatcheck": { period: 0 } });
  dir.write("config/notjson", "hunter2");
  const now = Date.now();
  assertEquals(await check(config, now, now + 25_000), []);
  assertEquals((await check(config, now, now + 40_000)).sort(), ["db", "web"]);
  assertEquals(await check(config, now + 20_000, now + 40_000), []);
  Deno.utimeSync(dir.write("db", ""), new Date(now + 35_000), new Date(now + 35_000));
  assertEquals(await check(config, now, now + 40_000), ["web"]);
});

Deno.test("check() rejects if the directory is missing", async () => {
  using dir = tempDir();
  const error = await assertRejects(() => check(dir.file("none"), 0, 0), Error);
  assert(
    error.message.includes(dir.file("none")) && error.message.endsWith("no such file or directory"),
    error.message,
  );
});
