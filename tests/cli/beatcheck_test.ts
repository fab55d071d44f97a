import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { until } from "../helpers.ts";
import { Checker, Ground, silent } from "./checkers.ts";
import { ctlPermissions, runTool } from "./tools.ts";

/** Touches a file. */
function beat(path: string, seconds = Date.now() / 1000): void {
  Deno.writeTextFileSync(path, "");
  Deno.utimeSync(path, seconds, seconds);
}

/** A heart that counts as silent at once. */
const AT_ONCE = { period: 0.01, grace: 0 };

/** Resolves when the clock is past that time. */
async function passed(time: number): Promise<void> {
  await until("time passed", () => Date.now() > time);
}

Deno.test("beatcheck asks once for the restart of a silent process, after the grace since its config changed", async () => {
  using ground = new Ground();
  await using checker = new Checker("beatcheck", ground);
  await checker.ready();
  for (const version of [1, 2]) {
    ground.put("web", { ...silent({ period: 0.2, grace: 5, status: ground.dir.file("web") }), version });
    const changedAt = Deno.statSync(`${ground.config}/web`).mtime!.getTime();
    assertGreaterOrEqual(await checker.asked("web", version) - changedAt, 1000);
    assertEquals(ground.requests(), ["web"]);
    await checker.fence();
    assertEquals([ground.take(), checker.timesAsked("web")], [1, version]);
  }
});

Deno.test("beatcheck counts the grace from its own start, however old a config is", async () => {
  using ground = new Ground();
  ground.put("web", silent({ period: 0.5, grace: 3, status: ground.dir.file("web") }));
  await passed(Deno.statSync(`${ground.config}/web`).mtime!.getTime() + 1500);
  const startedAt = Date.now();
  await using checker = new Checker("beatcheck", ground);
  assertGreaterOrEqual(await checker.asked("web") - startedAt, 1500);
});

Deno.test("beatcheck counts the grace again from when its request was read, however late, and then asks again", async () => {
  using ground = new Ground();
  await using checker = new Checker("beatcheck", ground);
  ground.put("web", silent({ period: 0.2, grace: 5, status: ground.dir.file("web") }));
  await passed(await checker.asked("web") + 1500);
  const unreadAt = Date.now();
  await checker.fence();
  assertEquals([ground.take(), checker.timesAsked("web")], [1, 1]);
  assertGreaterOrEqual(await checker.asked("web", 2) - unreadAt, 1000);
  assertEquals(ground.requests(), ["web"]);
});

Deno.test("beatcheck writes no second request while one is unread, no matter which program or run wrote that", async () => {
  using ground = new Ground();
  for (const name of ["web", "db"]) ground.put(name, silent({ ...AT_ONCE, status: ground.dir.file(name) }));
  assertEquals((await runTool("ctl/mod.ts", [...ground.places, "restart", "web"], ctlPermissions(ground))).code, 0);
  for (let start = 0; start < 2; start++) {
    await using checker = new Checker("beatcheck", ground);
    for (let look = 0; look < 3; look++) await checker.fence();
    assertEquals([checker.timesAsked("web"), checker.timesAsked("db")], [0, start === 0 ? 1 : 0]);
  }
  assertEquals(ground.requests(), ["web", "db"]);
  ground.take("web");
  await using checker = new Checker("beatcheck", ground);
  await checker.asked("web");
  assertEquals(ground.requests(), ["db", "web"]);
});

Deno.test("beatcheck takes a status that is a file, or a directory with a file named after the process", async () => {
  using ground = new Ground();
  const hearts = ground.dir.dir("hearts");
  const status = { web: ground.dir.file("web heart"), db: hearts, old: ground.dir.file("old heart"), cron: hearts };
  const future = Date.now() / 1000 + 3600;
  for (const path of [status.web, `${hearts}/db`]) beat(path, future);
  for (const path of [status.old, `${hearts}/cron`]) beat(path, 1000);
  for (const [name, path] of Object.entries(status)) ground.put(name, silent({ ...AT_ONCE, status: path }));
  await using checker = new Checker("beatcheck", ground);
  for (const name of ["old", "cron"]) await checker.asked(name);
  await checker.fence();
  assertEquals(ground.requests().sort(), ["cron", "old"]);
  for (const path of [status.web, `${hearts}/db`]) Deno.removeSync(path);
  for (const name of ["web", "db"]) await checker.asked(name);
  assertEquals(ground.requests().sort(), ["cron", "db", "old", "web"]);
});

Deno.test("beatcheck leaves a heart alone that beats now and then, until it stops", async () => {
  using ground = new Ground();
  const status = ground.dir.file("web");
  await using checker = new Checker("beatcheck", ground);
  // Longer than a loaded machine may keep this test from beating.
  ground.put("web", silent({ period: 1.5, grace: 0, status }));
  beat(status);
  const beating = setInterval(() => beat(status), 50);
  await passed(Date.now() + 1600);
  await checker.fence();
  clearInterval(beating);
  const lastBeat = Deno.statSync(status).mtime!.getTime();
  assertEquals([checker.timesAsked("web"), ground.requests()], [0, []]);
  assertGreaterOrEqual(await checker.asked("web") - lastBeat, 1500);
});

Deno.test("beatcheck does not check a process that is disabled or has no heart, and forgets a removed one", async () => {
  using ground = new Ground();
  const heart = { ...AT_ONCE, status: ground.dir.file("heart") };
  ground.put("off", { ...silent(heart), "ncolony.monitor": { enabled: false } });
  ground.put("plain", { args: ["cat"] });
  ground.put("gone", silent(heart));
  ground.put("went", silent(heart));
  await using checker = new Checker("beatcheck", ground);
  await checker.asked("gone");
  await checker.asked("went");
  ground.remove("gone");
  ground.put("went", { ...silent(heart), "ncolony.monitor": { enabled: false } });
  await checker.fence();
  ground.take();
  for (let look = 0; look < 3; look++) await checker.fence();
  assertEquals(ground.requests(), []);
  assertEquals(["off", "plain", "gone", "went"].map((name) => checker.timesAsked(name)), [0, 0, 1, 1]);
  ground.put("off", silent(heart));
  ground.put("gone", silent(heart));
  await checker.asked("off");
  await checker.asked("gone", 2);
});
