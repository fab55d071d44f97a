/** The real monitor records each change in `STATUS/.events`. */

import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { join } from "@std/path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { lstat } from "../../host/files/lstat.ts";
import { SCHEMAS } from "../../tools/schemas.ts";
import { tempDir } from "../helpers.ts";
import { lent, recordedIn, type RecordedLine, StatusColony } from "./status_files.ts";
import { hasCommand, IS_ROOT, rested, run, sh } from "./tools.ts";

const SECRET = "hunter2";
const SLEEP = { args: ["sleep", "1000"] };
const SCAN = ["--frequency", "0.3"];

function assertGrow(events: readonly RecordedLine[]): void {
  const ids = events.map(({ id }) => id);
  assertEquals(ids, [...new Set(ids)].toSorted((a, b) => a - b));
}

function namesOf(events: readonly RecordedLine[]): string {
  return events.map(({ event }) => event).join(" ");
}

Deno.test("STATUS/.events has a line of JSON for each change, as the schema says, and as the history of the process", async () => {
  const config = {
    web: { args: ["cat"], env: { TOKEN: SECRET } },
    crash: { args: sh("exit 3"), env: { TOKEN: SECRET } },
    missing: { args: ["/no/such"] },
    slow: { args: sh("trap '' TERM; echo ready; while :; do sleep 0.05; done"), "ncolony.monitor": { kill_time: 0.2 } },
    bad: "{",
  };
  await using colony = new StatusColony({ args: ["-m", "30"], config });
  await colony.inState("web", "running");
  for (const name of ["crash", "missing"]) await colony.inState(name, "waiting");
  await colony.waitFor(/^\[slow\] ready$/);
  await colony.inState("bad", "invalid");
  await rested();
  colony.send({ type: "RESTART", name: "web", from: "me", reason: "for fun" });
  await colony.told("web", "restarted", ({ incarnation, state }) => incarnation === 2 && state === "running");
  for (const name of ["slow", "bad"]) colony.remove(name);
  colony.put("crash", { args: ["cat", SECRET], "ncolony.monitor": { enabled: false } });
  await colony.inState("crash", "disabled");
  await colony.inState("slow", "removed");
  await colony.inState("bad", "removed");
  assertEquals(await colony.stop(), 0);

  const events = colony.recorded();
  assertGrow(events);
  const validate = new Ajv2020({ strict: false }).compile(SCHEMAS.event!);
  for (const event of events) assert(validate(event), `${JSON.stringify(event)} ${JSON.stringify(validate.errors)}`);
  assertEquals(events.filter(({ name }) => name === null).map(({ event, pid }) => [event, pid]), [
    ["monitor-started", colony.process.pid],
    ["monitor-stopped", colony.process.pid],
  ]);
  assertEquals([events[0]!.name, events.at(-1)!.name], [null, null]);
  assertEquals(namesOf(colony.recorded("web")), "started stop-requested exited started stop-requested exited");
  assertEquals(namesOf(colony.recorded("slow")), "started stop-requested killed exited removed");
  assertEquals(namesOf(colony.recorded("bad")), "problem removed");
  const kinds = new Set(events.map(({ event }) => event));
  for (const kind of ["waiting", "disabled"]) assert(kinds.has(kind), kind);
  for (const name of Object.keys(config)) {
    const recorded = colony.recorded(name);
    const plain = recorded.map(({ id: _, name: __, ...event }) => event);
    assertEquals(plain, colony.read(".history", name)?.history);
    assertEquals(colony.read(name)?.last_event, recorded.at(-1)?.id);
  }
  assertEquals(colony.read(".monitor")?.last_event, events.at(-1)?.id);
  assert(!Deno.readTextFileSync(join(colony.status, ".events")).includes(SECRET));
  assertEquals((await run(["stat", "-c", "%a", join(colony.status, ".events")])).stdout, "640\n");
});

Deno.test("the ids of events go on over restarts of the monitor, a kill in the middle of a line, and a clock set back", async () => {
  using dir = tempDir();
  const place = lent(dir);
  const later = Date.now() + 3_600_000;
  {
    await using first = new StatusColony({ config: { web: SLEEP } }, place);
    await first.inState("web", "running");
    await first.until("it is recorded", () => first.recorded("web").length > 0);
    first.process.kill("SIGKILL");
    await first.process.status;
    const event = { id: later, name: "web", at: new Date(later).toISOString(), event: "killed" };
    Deno.writeTextFileSync(join(first.status, ".events"), `${JSON.stringify(event)}\n{"id":99`, { append: true });
  }
  await using second = new StatusColony({ config: { web: SLEEP } }, place);
  await second.told("web", "started again", ({ state, starts }) => state === "running" && starts === 2);
  const lines = Deno.readTextFileSync(join(second.status, ".events")).split("\n");
  const at = lines.indexOf('{"id":99');
  const since = lines.slice(at + 1, -1).map((line) => JSON.parse(line) as RecordedLine);
  assertEquals(namesOf(since), "monitor-started exited started");
  assertEquals(since.map(({ id }) => id), [later + 1, later + 2, later + 3]);
});

Deno.test("STATUS/.events is renamed before it is larger than 1 MiB, and ids go on from the old file", async () => {
  using dir = tempDir();
  const place = lent(dir);
  const line = (id: number) =>
    `${JSON.stringify({ id, name: "web", at: new Date(id).toISOString(), event: "killed" })}\n`;
  const now = Date.now() + 1_000_000;
  const old = Array.from({ length: Math.floor(1024 * 1024 / line(now).length) }, (_, at) => line(now + at)).join("");
  Deno.writeTextFileSync(join(dir.dir("status"), ".events"), old);
  Deno.writeTextFileSync(join(dir.file("status"), ".events.1"), "older");
  Deno.chmodSync(dir.file("status"), 0o750);
  await using colony = new StatusColony({ config: { web: SLEEP } }, place);
  await colony.inState("web", "running");
  assertEquals(Deno.readTextFileSync(join(colony.status, ".events.1")), old);
  const events = colony.recorded();
  assertEquals(namesOf(events), "monitor-started started");
  assertGreater(events[0]!.id, now + old.length / line(now).length - 1);
  assertEquals(await colony.stop(), 0);
  // Only the old file is left, and no new one was begun.
  Deno.removeSync(join(colony.status, ".events"));
  await using next = new StatusColony({ config: {} }, place);
  await next.until("it is recorded", () => next.recorded().length === 1);
  assertGreater(next.recorded()[0]!.id, now);
});

for (const permissions of [["-A"], undefined]) {
  Deno.test(`events are recorded again after STATUS/.events, or all of STATUS, was removed (${permissions ?? "narrow"})`, async () => {
    const options = permissions === undefined ? {} : { permissions };
    await using colony = new StatusColony({ ...options, args: SCAN, config: { web: SLEEP } });
    await colony.inState("web", "running");
    const [before] = await colony.until("it is recorded", () => colony.recorded("web").length > 0 && colony.recorded());
    Deno.removeSync(join(colony.status, ".events"));
    colony.put("one", SLEEP);
    await colony.inState("one", "running");
    const [one] = colony.recorded();
    assertEquals([colony.recorded().length, one?.name, one?.event], [1, "one", "started"]);
    assertGreater(one!.id, before!.id);
    await colony.until("a full scan has ended", () => colony.read(".usage"));
    Deno.renameSync(colony.status, `${colony.status}.old`);
    colony.put("two", SLEEP);
    await colony.inState("two", "running");
    const two = await colony.until("it is recorded", () => colony.recorded("two")[0]);
    assertGreater(two.id, one!.id);
    assertEquals(recordedIn(join(`${colony.status}.old`, ".events")).length, 1);
  });
}

Deno.test("what was planted at STATUS/.events is replaced, and neither followed nor read", async () => {
  for (const plant of ["link", "fifo", "hard link"] as const) {
    using dir = tempDir();
    const path = join(dir.dir("status"), ".events");
    Deno.chmodSync(dir.file("status"), 0o750);
    const victim = dir.write("victim", "untouched");
    if (plant === "link") Deno.symlinkSync(victim, path);
    else if (plant === "hard link") Deno.linkSync(victim, path);
    else assertEquals((await run(["mkfifo", path])).code, 0);
    Deno.symlinkSync(victim, `${path}.1`);
    await using colony = new StatusColony({ config: { web: SLEEP } }, lent(dir));
    await colony.inState("web", "running");
    assertEquals(lstat(path)?.isFile, true, plant);
    assertEquals(namesOf(colony.recorded()), "monitor-started started");
    assertEquals([Deno.readTextFileSync(victim), colony.count(/WARN|ERROR/)], ["untouched", 0]);
  }
});

Deno.test({
  name: `a file of another user at STATUS/.events is replaced${IS_ROOT ? "" : " (skipped: needs root)"}`,
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    const path = join(dir.dir("status"), ".events");
    Deno.chmodSync(dir.file("status"), 0o750);
    Deno.writeTextFileSync(path, "theirs\n");
    Deno.chownSync(path, 65_534, 65_534);
    await using colony = new StatusColony({ config: { web: SLEEP } }, lent(dir));
    await colony.inState("web", "running");
    assertEquals([lstat(path)?.uid, namesOf(colony.recorded())], [0, "monitor-started started"]);
  },
});

Deno.test("while events cannot be recorded, that is logged once, all else is written, and they are recorded later", async () => {
  using dir = tempDir();
  const path = join(dir.dir("status"), ".events");
  Deno.chmodSync(dir.file("status"), 0o750);
  // It is in the way of both files.
  Deno.mkdirSync(path);
  await using colony = new StatusColony({ args: SCAN, config: { web: SLEEP } }, lent(dir));
  await colony.waitFor(/WARN cannot keep the status directory ".*" up to date: is a directory$/);
  const { last_event } = await colony.inState("web", "running");
  const scan = colony.read(".monitor")?.last_scan;
  await colony.until("two full scans have ended", () => {
    return new Set([scan, colony.read(".monitor")?.last_scan]).size === 2 && colony.read(".usage");
  });
  Deno.removeSync(path);
  await colony.waitFor(/INFO the status directory ".*" is up to date again$/);
  const events = colony.recorded();
  assertEquals([namesOf(events), events[1]!.id], ["monitor-started started", last_event]);
  assertEquals([colony.count(/cannot keep the status/), colony.count(/up to date again/)], [1, 1]);
});

Deno.test("a second monitor records nothing while the first one holds the lock, and then goes on", async () => {
  using dir = tempDir();
  const place = lent(dir);
  await using first = new StatusColony({ args: SCAN, config: { web: SLEEP } }, place);
  await first.inState("web", "running");
  await using second = new StatusColony({ args: SCAN, config: { db: SLEEP } }, place);
  await second.waitFor(/WARN cannot keep the status directory ".*" up to date: another program holds its lock file$/);
  await second.started("db");
  first.send({ type: "RESTART", name: "web" });
  await first.told("web", "restarted", ({ incarnation, state }) => incarnation === 2 && state === "running");
  assertEquals(second.recorded("db"), []);
  assertEquals(await first.stop(), 0);
  second.put("more", SLEEP);
  await second.inState("more", "running");
  const events = second.recorded();
  assertGrow(events);
  const stopped = events.findIndex(({ event }) => event === "monitor-stopped");
  assertGreaterOrEqual(stopped, 0);
  assert(events.slice(stopped + 1).some(({ name, event }) => name === "more" && event === "started"));
  assert(events.slice(0, stopped).every(({ name, pid }) => name !== null || pid === first.process.pid));
});

const canMount = IS_ROOT && hasCommand("unshare") && hasCommand("nsenter");

Deno.test({
  name: `what cannot be recorded on a full disk is recorded later, and nothing is stopped${
    canMount ? "" : " (skipped: needs root, unshare, nsenter)"
  }`,
  ignore: !canMount,
  fn: async () => {
    using dir = tempDir();
    const status = dir.dir("status");
    const mount = `mount -t tmpfs -o mode=0750,size=512k none '${status}' && exec "$@"`;
    const config = { web: { args: sh("sleep 0.05; exit 3") } };
    await using colony = new StatusColony({
      args: [...SCAN, "-m", "0", "-M", "0"],
      wrap: ["unshare", "--mount", ...sh(mount), "sh"],
      config,
    }, lent(dir));
    const inside = async (script: string) => {
      return await run([
        "nsenter",
        "--mount",
        "-t",
        `${colony.process.pid}`,
        "sh",
        "-c",
        `cd '${status}' && ${script}`,
      ]);
    };
    await colony.started("web", 3);
    assertEquals((await inside("test -s .events")).code, 0);
    // As much as there is, and then the rest of the last page.
    await inside("cat /dev/zero > filler 2>/dev/null");
    await colony.waitFor(/WARN cannot keep the status directory ".*" up to date: no space left on device/);
    const starts = colony.pidsOf("web").length;
    await colony.started("web", starts + 10);
    assertEquals((await inside("rm filler")).code, 0);
    await colony.waitFor(/INFO the status directory ".*" is up to date again$/);
    const after = colony.pidsOf("web").length;
    await colony.started("web", after + 3);
    const { stdout } = await inside("cat .events");
    const seen = new Map<number, RecordedLine>();
    for (const line of stdout.split("\n")) {
      try {
        const event = JSON.parse(line) as RecordedLine;
        seen.set(event.id, event);
      } catch {
        // An empty line, or one that the disk had no room for.
        assertLess(line.length, 500);
      }
    }
    const incarnations = [...seen.values()].filter(({ event }) => event === "started").map(({ incarnation }) =>
      incarnation
    );
    assertGreaterOrEqual(incarnations.length, after);
    assertEquals(incarnations, incarnations.map((_, at) => at + 1));
    assertEquals([colony.count(/cannot keep the status/), await colony.stop()], [1, 0]);
  },
});
