import { assertEquals, assertLess } from "@std/assert";
import { Hearts } from "../../beatcheck/hearts.ts";
import { run } from "../cli/tools.ts";
import { CheckWorld } from "../host/check_world.ts";

const NEVER = new Map<string, number>();

/** Heartbeats in a real directory, with a fake clock. */
class World extends CheckWorld {
  readonly hearts = new Hearts(this.parts.directory, this.log);
  readonly status = this.dir.dir("hearts");
  readonly startedAt = this.clock.wall();

  /** Adds a process whose heart must beat every 10 s, from 30 s after its config changed. */
  beating(name: string, keys: Record<string, unknown> = {}): void {
    const beat = { period: 10, grace: 3, status: this.status, ...keys };
    this.want(this.hearts, name, { "ncolony.beatcheck": beat });
  }

  /** Sets the times of a file to `agoMs` ago. */
  touch(name: string, agoMs = 0): void {
    const path = this.dir.write(`hearts/${name}`, "");
    Deno.utimeSync(path, new Date(this.clock.wall() - agoMs), new Date(this.clock.wall() - agoMs));
  }

  /** Returns the names of the silent processes. */
  silent(askedAt: ReadonlyMap<string, number> = NEVER, startedAt = this.startedAt): string[] {
    return this.hearts.silent(startedAt, this.clock.wall(), askedAt).map(({ name }) => name);
  }
}

Deno.test("Hearts finds processes that are silent for a period, and none that beats or has no heartbeat", async () => {
  using it = new World();
  for (const name of ["beats", "late", "never"]) it.beating(name);
  it.beating("often", { period: 1 });
  it.want(it.hearts, "heartless", {});
  await it.clock.advance(60_000);
  it.touch("beats", 9000);
  it.touch("late", 11_000);
  it.touch("often", 2000);
  assertEquals(it.hearts.silent(it.startedAt, it.clock.wall(), NEVER), [
    { name: "late", periodMs: 10_000 },
    { name: "never", periodMs: 10_000 },
    { name: "often", periodMs: 1000 },
  ]);
});

Deno.test("Hearts looks for a beat in the status file itself, or in a directory", async () => {
  using it = new World();
  it.beating("file", { status: `${it.status}/own` });
  it.beating("directory");
  await it.clock.advance(60_000);
  assertEquals(it.silent(), ["file", "directory"]);
  it.touch("own");
  assertEquals(it.silent(), ["directory"]);
  it.touch("directory");
  assertEquals(it.silent(), []);
});

Deno.test("Hearts warns once about two processes with one heartbeat file, for example in a missing directory", async () => {
  using it = new World();
  const status = `${it.dir.path}/missing`;
  for (const name of ["web", "db"]) it.beating(name, { status });
  it.beating("alone", { status: `${it.status}/own` });
  for (const name of ["both", "in"]) it.beating(name);
  for (let look = 0; look < 3; look++) {
    await it.clock.advance(60_000);
    it.silent();
  }
  const shared = (name: string, other: string) =>
    `WARN ${name}: its heartbeat file ${JSON.stringify(status)} is also used by ${other}: make it a directory`;
  assertEquals(it.log.lines, [shared("web", "db"), shared("db", "web")]);
});

Deno.test("Hearts reports no process in its grace period after a change, a start or a restart", async () => {
  using it = new World();
  it.beating("web");
  await it.clock.advance(30_000);
  assertEquals(it.silent(), []);
  await it.clock.advance(1);
  assertEquals(it.silent(), ["web"]);
  const now = it.clock.wall();
  assertEquals([it.silent(new Map([["web", now - 1]])), it.silent(NEVER, now - 1)], [[], []]);
  assertEquals(it.silent(new Map([["db", now]])), ["web"], "the restart of another one");
  it.beating("web", { period: 11 });
  await it.clock.advance(32_000);
  assertEquals(it.silent(), []);
  await it.clock.advance(2000);
  assertEquals(it.silent(), ["web"]);
});

Deno.test("Hearts accepts a beat from the future", async () => {
  using it = new World();
  it.beating("web");
  await it.clock.advance(60_000);
  it.touch("web", -86_400_000);
  assertEquals(it.silent(), []);
});

Deno.test("Hearts forgets a process that is no longer wanted, or whose config no longer has a heartbeat", async () => {
  using it = new World();
  for (const name of ["web", "db"]) it.beating(name);
  await it.clock.advance(60_000);
  assertEquals(it.silent(), ["web", "db"]);
  it.drop(it.hearts, "web");
  it.want(it.hearts, "db", {});
  await it.clock.advance(60_000);
  assertEquals(it.silent(), []);
});

Deno.test("Hearts does not report a process whose config has just disappeared", async () => {
  using it = new World();
  it.beating("web");
  await it.clock.advance(60_000);
  it.config.remove("web");
  assertEquals(it.silent(), []);
});

Deno.test("Hearts logs the problem of a section once, without its values, and checks the others", async () => {
  using it = new World();
  it.beating("web", { period: "hunter2" });
  it.beating("db");
  await it.clock.advance(60_000);
  assertEquals([it.silent(), it.silent()], [["db"], ["db"]]);
  const reason = '"ncolony.beatcheck.period" must be a number from 0.01 to 1000000000: got a string';
  assertEquals(it.log.take(), [`WARN web: heartbeat is not checked: ${reason}`]);
  it.beating("web");
  await it.clock.advance(60_000);
  assertEquals([it.silent(), it.log.take()], [["db", "web"], []]);
});

Deno.test("Hearts does not report a process whose heartbeat file cannot be read, and logs that once", async () => {
  using it = new World();
  it.beating("web", { status: it.dir.file("loop") });
  Deno.symlinkSync("loop", it.dir.file("loop"));
  await it.clock.advance(60_000);
  assertEquals([it.silent(), it.silent()], [[], []]);
  assertEquals([it.log.lines.length, it.log.count(`ERROR web: cannot read heartbeat file "${it.dir.file("loop")}"`)], [
    1,
    1,
  ]);
  Deno.removeSync(it.dir.file("loop"));
  assertEquals(it.silent(), ["web"], "there is none");
  Deno.symlinkSync("loop", it.dir.file("loop"));
  assertEquals([it.silent(), it.log.lines.length], [[], 2]);
});

Deno.test("Hearts does not block on a FIFO, and uses its mtime as a beat", async () => {
  using it = new World();
  await run(["mkfifo", `${it.status}/web`]);
  it.beating("web");
  await it.clock.advance(60_000);
  Deno.utimeSync(`${it.status}/web`, 1000, 1000);
  assertEquals(it.silent(), ["web"]);
  const now = new Date(it.clock.wall());
  Deno.utimeSync(`${it.status}/web`, now, now);
  assertEquals(it.silent(), []);
});

Deno.test("Hearts checks many heartbeats in one directory in linear time", async () => {
  using it = new World();
  const timeOf = async (count: number) => {
    for (let i = 0; i < count; i++) it.beating(`p${i}`);
    await it.clock.advance(60_000);
    assertEquals(it.silent().length, count);
    const times = [1, 2, 3].map(() => {
      const begin = performance.now();
      it.silent();
      return performance.now() - begin;
    });
    return Math.min(...times);
  };
  const few = await timeOf(500);
  // 32 times as many. If each were compared with all others, this would be several hundred.
  assertLess(await timeOf(16_000) / few, 90);
});
