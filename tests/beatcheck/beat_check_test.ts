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

  /** A process whose heart must beat every 10 s, and that has 30 s of grace. */
  beating(name: string): void {
    this.want(this.check, name, { "ncolony.beatcheck": { period: 10, grace: 3, status: this.status } });
  }

  touch(name: string): void {
    const now = new Date(this.clock.wall());
    Deno.utimeSync(this.dir.write(`hearts/${name}`, ""), now, now);
  }

  /** Lets seconds pass. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await this.clock.advance(1000);
      this.check.check();
    }
  }

  /** Lets seconds pass in which these beat. */
  async passBeating(seconds: number, ...names: string[]): Promise<void> {
    for (let second = 0; second < seconds; second += 5) {
      for (const name of names) this.touch(name);
      await this.pass(5);
    }
  }
}

Deno.test("BeatCheck asks for the restart of the silent ones, and of no others", async () => {
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

Deno.test("BeatCheck asks once per grace for a process that never beats", async () => {
  using it = new World();
  it.beating("web");
  const instants: number[] = [];
  for (let second = 1; second <= 130; second++) {
    await it.pass(1);
    if (it.takeAsked().length > 0) instants.push(second);
  }
  assertEquals(instants, [31, 62, 93, 124]);
});

Deno.test("BeatCheck asks no second time while the first request is unread, whoever made it", async () => {
  using it = new World();
  for (const name of ["web", "db"]) it.beating(name);
  it.dir.write("messages/1", '{"type": "RESTART", "name": "db"}');
  await it.pass(500);
  assertEquals(it.asked.sort(), ["db", "web"]);
});

Deno.test("BeatCheck counts the grace from when the request was read: long after it was made", async () => {
  using it = new World();
  it.beating("web");
  // A grace that began with the request would be over at 62, 93 and 124 s.
  await it.pass(100);
  assertEquals(it.takeAsked(), ["web"]);
  await it.pass(29);
  assertEquals(it.takeAsked(), []);
  await it.pass(3);
  assertEquals(it.takeAsked(), ["web"]);
});

Deno.test("BeatCheck counts the grace from when the request was read: just before its own end", async () => {
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
  Deno.test(`BeatCheck restarts nobody when the clock jumps ${way}, says so once, and checks on`, async () => {
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
    const told = `WARN the clock jumped by ${seconds} s, or the machine slept: every process has its grace again`;
    assertEquals([it.asked, it.log.take()], [[], [told]]);
    await it.passBeating(40, "db", "dns");
    assertEquals(it.asked, ["web"]);
  });
}

Deno.test("BeatCheck takes the small steps of a clock that is set right for none", async () => {
  using it = new World();
  it.beating("web");
  for (let second = 0; second < 40; second++) {
    it.clock.wallShiftMs += 500;
    await it.pass(1);
  }
  assertEquals([it.asked, it.log.count("jumped")], [["web"], 0]);
});

Deno.test("BeatCheck tries again to ask when it could not", async () => {
  using it = new World();
  it.beating("web");
  Deno.renameSync(it.messages, it.dir.file("away"));
  await it.pass(60);
  assertEquals([it.log.lines.length, it.log.count("ERROR cannot write to")], [1, 1]);
  Deno.renameSync(it.dir.file("away"), it.messages);
  await it.pass(1);
  assertEquals(it.asked, ["web"]);
});

Deno.test("BeatCheck forgets a process that goes, and gives it its grace when it comes back", async () => {
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

/** A config directory with a process of this name, which must beat every 10 s. */
function written(dir: TempDir, name: string, keys: Record<string, unknown> = {}): void {
  const beat = { period: 10, grace: 3, status: dir.path };
  dir.write(`config/${name}`, JSON.stringify({ args: ["httpd"], "ncolony.beatcheck": beat, ...keys }));
}

Deno.test("check() of the library names the silent ones by one look, and no disabled or bad ones", async () => {
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

Deno.test("check() of the library rejects where there is no such directory", async () => {
  using dir = tempDir();
  const error = await assertRejects(() => check(dir.file("none"), 0, 0), Error);
  assert(error.message.includes(dir.file("none")) && error.message.endsWith("is not there"), error.message);
});
