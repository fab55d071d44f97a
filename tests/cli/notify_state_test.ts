/** notify remembers what it has told, over its restarts, however it ended. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs/exists";
import { dirname, join } from "@std/path";
import { LEAST_PERMISSIONS, PERMISSIONS } from "../../tools/permissions.ts";
import { Random } from "../core/random.ts";
import { until } from "../helpers.ts";
import { commandOf, NotifyGround, telling } from "./notifying.ts";
import { Program } from "./program.ts";
import { StatusColony } from "./status_files.ts";
import { denoEnv, IS_ROOT, runTool, signalIfThere, toolCommand } from "./tools.ts";

/** Waits until an event is told and remembered. */
async function remembered(ground: NotifyGround, id: number): Promise<void> {
  await until("it is remembered", () => ground.remembered()?.id === id);
}

Deno.test("the first start begins with what happens from then on, and later ones tell what happened in between, once", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  ground.record(["old", "killed"], ["old", "killed"]);
  {
    await using notified = await ground.notify("killed,unhealthy,healthy");
    await remembered(ground, ground.record(["first", "killed"]));
    assertEquals(await notified.stop(), 0);
  }
  // Longer than one file.
  for (let at = 0; at < 40; at++) ground.record(...Array.from({ length: 200 }, () => ["other", "waiting"] as const));
  const path = join(ground.status, ".events");
  Deno.renameSync(path, `${path}.1`);
  ground.record(["meanwhile", "killed"], ["other", "removed"]);
  {
    await using _notified = await ground.notify("killed,unhealthy,healthy");
    await until("it is told", () => ground.toldWords().includes("meanwhile killed"));
    await remembered(ground, ground.record(["second", "killed"]));
  }
  await using _third = await ground.notify("killed,unhealthy,healthy");
  await remembered(ground, ground.record(["third", "killed"]));
  assertEquals(ground.toldWords(), ["first killed", "meanwhile killed", "second killed", "third killed"]);
});

Deno.test("what checkers found while notify did not run is told at its start, and nothing that was told", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  for (const name of ["sick", "well"]) ground.report("httpcheck", name, name === "well");
  ground.report("httpcheck", "gone", false);
  const once = async (...words: readonly string[]) => {
    await using notified = await ground.notify("unhealthy,healthy,killed");
    await remembered(ground, ground.record(["fence", "killed"]));
    await notified.stop();
    assertEquals(ground.toldWords().filter((word) => word !== "fence killed").toSorted(), words.toSorted());
  };
  await once();
  ground.report("httpcheck", "sick", true);
  ground.report("httpcheck", "well", false);
  Deno.removeSync(join(ground.status, ".httpcheck", "gone"));
  await once("sick healthy", "well unhealthy");
  await once("sick healthy", "well unhealthy");
  ground.report("httpcheck", "gone", false);
  await once("sick healthy", "well unhealthy", "gone unhealthy");
});

Deno.test("a crash loop is told once over restarts, and one that goes on at the first start at the next death", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  ground.die("old", 7);
  const after = async (act: () => number) => {
    await using notified = await ground.notify("crash-loop,killed");
    await remembered(ground, act());
    await notified.stop();
    return ground.toldEvents().filter(({ event }) => event === "crash-loop").map(({ name, deaths }) =>
      `${name} ${deaths}`
    );
  };
  const fence = () => ground.record(["fence", "killed"]);
  assertEquals(await after(fence), []);
  ground.die("old");
  ground.die("web", 2);
  assertEquals(await after(fence), ["old 8"]);
  ground.die("web");
  assertEquals(await after(fence), ["old 8", "web 3"]);
  ground.die("old");
  ground.die("web", 4);
  assertEquals(await after(fence), ["old 8", "web 3"]);
});

Deno.test("a monitor that was killed while notify did not run is told at its start, once", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  ground.record([null, "monitor-started", { pid: 1 }]);
  const once = async () => {
    await using notified = await ground.notify("monitor-gone,killed");
    await remembered(ground, ground.record(["fence", "killed"]));
    await notified.stop();
    return ground.toldWords().filter((word) => word !== "fence killed");
  };
  assertEquals(await once(), []);
  ground.seemAlive(false);
  assertEquals(await once(), ["monitor monitor-gone"]);
  assertEquals(await once(), ["monitor monitor-gone"]);
  // A second one was killed and replaced.
  ground.record([null, "monitor-started", { pid: 2 }], [null, "monitor-started", { pid: 3 }]);
  ground.seemAlive(true);
  assertEquals(await once(), ["monitor monitor-gone", "monitor monitor-gone"]);
  // The last one has stopped in order.
  ground.record([null, "monitor-stopped", { pid: 3 }]);
  ground.seemAlive(false);
  assertEquals(await once(), ["monitor monitor-gone", "monitor monitor-gone"]);
});

Deno.test("however often notify is killed, every event is told, and none again that was remembered", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const random = new Random(7);
  const ids: number[] = [];
  const fields = new Map<number, number>();
  let known = 0;
  const slow = `sleep 0.1; ${telling(ground.dir)}; sleep 0.1`;
  const start = async () => {
    known = Number(ground.remembered()?.id ?? 0);
    const before = ground.told().length;
    const notified = await ground.notify("killed", ...commandOf(`echo "pid $$"; ${slow}`));
    return { notified, before };
  };
  /** Nothing is told again that was remembered before this start. */
  const check = (before: number) => {
    for (const { events } of ground.told().slice(before)) {
      for (const { id } of events) {
        assert(id! > known, `${id} was remembered by ${known}`);
        fields.set(id!, (fields.get(id!) ?? 0) + 1);
      }
    }
  };
  await (await start()).notified[Symbol.asyncDispose]();
  for (let round = 0; round < 12; round++) {
    ids.push(ground.record([`round-${round}`, "killed"]));
    const { notified, before } = await start();
    await using _ends = notified;
    await new Promise((resolve) => setTimeout(resolve, random.below(900)));
    ids.push(ground.record([`then-${round}`, "killed"]));
    await new Promise((resolve) => setTimeout(resolve, random.below(900)));
    await notified.stop("SIGKILL");
    // As a monitor does, which ends all that notify has started.
    const groups = notified.stdout.map((line) => Number(/ pid (\d+)$/.exec(line)?.[1])).filter((pid) => pid > 1);
    for (const pid of groups) signalIfThere(-pid, "SIGKILL");
    check(before);
  }
  const { notified, before } = await start();
  await using _ends = notified;
  await remembered(ground, ids.at(-1)!);
  check(before);
  assertEquals([...fields.keys()].toSorted((a, b) => a - b), ids, "each is told at least once");
});

Deno.test("a second notify with the same state file ends with 1, and one with another file runs beside the first", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  await using first = await ground.notify("killed");
  const { code, stdout, stderr } = await ground.run("killed");
  assertEquals([code, stdout], [1, ""]);
  assertEquals(
    stderr.split("\n").filter((line) => !line.includes(" WARN ")),
    [`ncolony-notify: Cannot use the state file "${ground.state}": another program uses it`, ""],
  );
  const other = ground.dir.file("notify", "other");
  await using second = new Program(ground.words("killed", "--state", other));
  await second.until("it has begun", () => existsSync(other));
  ground.record(["web", "killed"]);
  await until("both tell", () => ground.toldWords().length === 2);
  assertEquals([await first.stop(), await second.stop()], [0, 0]);
  // However the first one ends, its lock does too.
  const killed = await ground.notify("killed");
  await killed.stop("SIGKILL");
  await using again = await ground.notify("killed");
  assertEquals(await again.stop(), 0);
});

Deno.test("a damaged state file is logged, and notify begins with what happens from then on", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  ground.record(["old", "killed"]);
  Deno.mkdirSync(dirname(ground.state));
  for (const text of ["", "{", "[]", "{}", '{"id": "x"}', "\x1b[2J"]) {
    Deno.writeTextFileSync(ground.state, text);
    await using notified = await new Program(ground.words("killed"));
    await notified.waitFor(/ WARN the state file is damaged, so only new events are reported: /);
    await notified.until("it has begun", () => Deno.readTextFileSync(ground.state).startsWith('{"version":1,'));
    await remembered(ground, ground.record([`after ${text.length}`, "killed"]));
    assertEquals(await notified.stop(), 0);
  }
  assertEquals(ground.toldWords().length, 6);
  // What is only odd counts as absent.
  const odd = {
    id: 1e18,
    monitor: 7,
    unhealthy: { a: 1 },
    dying: { web: 3, db: { deaths: -1, told: "x", since: "y" } },
  };
  Deno.writeTextFileSync(ground.state, JSON.stringify(odd));
  await using notified = await ground.notify("killed,crash-loop");
  ground.die("web", 3);
  await until("it is told", () => ground.toldWords().at(-1) === "web crash-loop");
  assertEquals(notified.matching(/WARN|ERROR/), []);
});

Deno.test("a state file that cannot be used is one line and exit code 1, and nothing is run", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const shared = ground.dir.dir("shared");
  Deno.chmodSync(shared, 0o777);
  const link = ground.dir.dir("link");
  Deno.symlinkSync(ground.dir.write("target", '{"id": 1}'), join(link, "state"));
  const cases: readonly (readonly [path: string, says: RegExp])[] = [
    [join(shared, "state"), /writable by other users \(mode 0777\); fix it with chmod or chown$/],
    [ground.dir.file("none", "none", "state"), /no such file or directory$/],
    [join(ground.dir.write("file", ""), "state"), /not a directory$/],
    [join(link, "state"), /is a symbolic link|not a regular file$/],
    [ground.dir.file("link"), /not a regular file$/],
    [ground.dir.file("link", "x".repeat(255)), /file name too long$/],
  ];
  for (const [path, says] of cases) {
    const { code, stderr } = await ground.run("killed", "--state", path);
    const [line] = stderr.trimEnd().split("\n").filter((line) => !line.includes(" WARN "));
    assertEquals(code, 1, line);
    assertStringIncludes(line!, `ncolony-notify: Cannot use the state file "${path.slice(0, 100)}`);
    assertMatch(line!, says);
  }
  assertEquals(Deno.readTextFileSync(ground.dir.file("target")), '{"id": 1}');
});

Deno.test("a state file that cannot be written is logged once, and notify goes on to tell", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  await using notified = await ground.notify("killed");
  Deno.renameSync(dirname(ground.state), ground.dir.file("away"));
  const fault = / ERROR cannot save what was reported: no such file or directory$/;
  for (const name of ["one", "two"]) {
    const id = ground.record([name, "killed"]);
    await until("it is told", () => ground.toldEvents().some((event) => event.id === id));
    await notified.waitFor(fault);
  }
  Deno.renameSync(ground.dir.file("away"), dirname(ground.state));
  await notified.waitFor(/ INFO what was reported can be saved again$/);
  assertEquals([notified.count(fault), ground.remembered()!.id], [1, ground.toldEvents().at(-1)!.id]);
});

Deno.test("events that cannot be read are logged once, and told as soon as they can", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  await using notified = await ground.notify("killed");
  const path = join(ground.status, ".events");
  Deno.mkdirSync(path);
  const fault = / ERROR cannot read the events: .*\.events": /;
  await notified.waitFor(fault);
  await new Promise((resolve) => setTimeout(resolve, 500));
  Deno.removeSync(path);
  ground.record(["web", "killed"]);
  await until("it is told", () => ground.told().length > 0);
  assertEquals(notified.count(fault), 1);
});

Deno.test("notify waits for a status directory that does not exist yet, and says so", async () => {
  using ground = new NotifyGround();
  Deno.removeSync(ground.status, { recursive: true });
  await using notified = await ground.notify("killed,monitor-started");
  await notified.waitFor(/ WARN no monitor runs in ".*\/status": waiting for one$/);
  Deno.mkdirSync(ground.status);
  ground.record([null, "monitor-started", { pid: 1 }], ["web", "killed"]);
  await until("it is told", () => ground.toldWords().length === 2);
});

Deno.test("under the monitor notify has the name of its process, tells on, and tells at its next start that the monitor has stopped", async () => {
  using ground = new NotifyGround();
  const tool = toolCommand("notify/mod.ts", LEAST_PERMISSIONS.notify);
  const place = ground.dir;
  const on = ["--on", "exited,monitor-started,monitor-stopped"];
  const state = place.file("states", "mail");
  const heart = { "ncolony.beatcheck": { period: 1, grace: 3, status: place.file("heart") } };
  const status = place.dir("own-status");
  const words = ["--status", status, "--colony", place.file("states"), ...on, "--state", state];
  const mail = { args: [...tool, ...words, ...commandOf(telling(place))], env: denoEnv(), ...heart };
  const web = { args: ["cat"] };
  const lend = {
    ...place,
    file: (name: string) => name === "status" ? status : place.file(name),
    [Symbol.dispose]: () => {},
  };
  {
    await using colony = new StatusColony({ config: { mail, web } }, lend);
    await colony.until("it has begun", () => existsSync(state) && existsSync(place.file("heart")));
    const { pid } = await colony.inState("web", "running");
    Deno.kill(pid!, "SIGKILL");
    await colony.until("it is told", () => ground.toldWords().includes("web exited"));
    // It is restarted as any process, and goes on.
    colony.send({ type: "RESTART", name: "mail" });
    await colony.told("mail", "restarted", ({ incarnation, state }) => incarnation === 2 && state === "running");
    const again = await colony.told("web", "running again", ({ incarnation }) => incarnation === 2);
    Deno.kill(again.pid!, "SIGKILL");
    await colony.until("it is told", () => ground.toldWords().filter((word) => word === "web exited").length === 2);
    assertEquals(await colony.stop(), 0);
    assertEquals(colony.matching(/mail: stopping -> killing/), []);
  }
  await using colony = new StatusColony({ config: { mail } }, lend);
  await colony.until("it is told", () => ground.toldWords().includes("monitor monitor-started"));
  assertEquals(ground.toldWords().slice(2), ["monitor monitor-stopped", "monitor monitor-started"]);
});

Deno.test({
  name: `another user cannot have notify use a state file of theirs${IS_ROOT ? "" : " (skipped: needs root)"}`,
  ignore: !IS_ROOT,
  fn: async () => {
    using ground = new NotifyGround();
    ground.seemAlive(true);
    const theirs = ground.dir.dir("notify");
    Deno.chownSync(theirs, 65_534, 65_534);
    const words = ["--colony", ground.dir.path, "--on", "killed", "--arg", "true"];
    const { code, stderr } = await runTool("notify/mod.ts", words, PERMISSIONS.notify);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "owned by uid 65534");
  },
});
