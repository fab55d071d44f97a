import { assertEquals, assertMatch } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { quickly } from "./quickly.ts";
import { everStarted, untilAllRunAsWritten } from "./running.ts";
import { hasCommand, IS_ROOT, namesIn, place, run, runTool } from "./tools.ts";

const CAT = { args: ["cat"] };
const OFTEN = ["--frequency", "0.2"];
const IS_BACK = /INFO the config directory .* can be read again/;

/** Asks for restarts. Before each, the monitor reads the config of the process. */
async function restart(colony: Colony, name: string, times = 1): Promise<void> {
  for (let time = 0; time < times; time++) {
    const before = colony.pidsOf(name).length;
    colony.send({ type: "RESTART", name });
    await colony.started(name, before + 1);
  }
}

Deno.test("a removed config directory stops nothing, is logged once, and is read once it is back", async () => {
  await using colony = new Colony({ args: OFTEN });
  const gone = /ERROR cannot read the config directory .*: no such file or directory; running processes keep running/;
  let rounds = 0;
  await quickly(
    () => Deno.removeSync(colony.config, { recursive: true }),
    async () => {
      if (rounds++ > 0) {
        await colony.waitFor(gone, rounds - 1);
        colony.dir.dir("config");
      }
      colony.put("web", CAT);
      colony.put("db", { args: ["cat"], version: 1 });
      await untilAllRunAsWritten(colony);
    },
  );
  const [web, db] = [colony.pidsOf("web").at(-1)!, colony.pidsOf("db").at(-1)!];
  await colony.waitFor(gone, rounds);
  await restart(colony, "web", 3);
  assertEquals([web, db].map(isAlive), [false, true]);
  assertEquals([colony.count(gone), colony.count(IS_BACK)], [rounds, rounds - 1]);

  const aside = colony.dir.dir("aside");
  place(aside, "web", JSON.stringify(CAT));
  place(aside, "db", JSON.stringify({ args: ["cat"], version: 2 }));
  const [webs, dbs] = [colony.pidsOf("web").length, colony.pidsOf("db").length];
  Deno.renameSync(aside, colony.config);
  await colony.waitFor(IS_BACK, rounds);
  await untilAllRunAsWritten(colony);
  assertEquals([colony.pidsOf("web").length, colony.pidsOf("db").length], [webs, dbs + 1]);
});

Deno.test("a removed messages directory stops nothing, and the monitor takes messages from the next one", async () => {
  await using colony = new Colony({ args: OFTEN, config: { web: CAT, db: CAT } });
  const db = await colony.started("db");
  for (let round = 1; round <= 3; round++) {
    Deno.removeSync(colony.messages, { recursive: true });
    await colony.waitFor(
      /ERROR cannot read the messages directory .*: no such file or directory; no restart can be requested/,
      round,
    );
    colony.put("web", { args: ["cat"], version: round });
    await untilAllRunAsWritten(colony);
    colony.dir.dir("messages");
    await colony.waitFor(/INFO the messages directory .* can be read again/, round);
    await restart(colony, "web");
    assertEquals((await colony.ctl("restart", "web")).code, 0);
    await colony.started("web", 1 + 3 * round);
  }
  await colony.fence();
  assertEquals(colony.pidsOf("db"), [db]);
  assertEquals([colony.pidsOf("web").length, namesIn(colony.messages)], [10, []]);
  assertEquals(colony.count(/no such file or directory/), 3);
  const { code, stderr } = await runTool("monitor/mod.ts", colony.places);
  assertEquals(code, 1);
  assertMatch(stderr, /another monitor uses this messages directory/);
});

Deno.test("the monitor applies only the differences if another directory replaces its config directory", async () => {
  await using colony = new Colony({ args: OFTEN, config: { web: CAT, db: { args: ["cat"], version: 1 }, old: CAT } });
  for (const name of ["web", "db", "old"]) await colony.started(name);
  const aside = colony.dir.dir("aside");
  place(aside, "web", JSON.stringify(CAT));
  place(aside, "db", JSON.stringify({ args: ["cat"], version: 2 }));
  place(aside, "fresh", JSON.stringify(CAT));
  Deno.renameSync(colony.config, colony.dir.file("before"));
  Deno.renameSync(aside, colony.config);
  await colony.started("fresh");
  await untilAllRunAsWritten(colony);
  assertEquals(["web", "db", "old", "fresh"].map((name) => colony.pidsOf(name).length), [1, 2, 1, 1]);
  colony.put("later", CAT);
  await colony.started("later");
});

Deno.test("the config directory may be a symlink that is switched to another release and back", async () => {
  await using colony = new Colony({ args: OFTEN, config: { web: CAT, db: { args: ["cat"], version: 1 } } });
  for (const name of ["web", "db"]) await colony.started(name);
  const other = colony.dir.dir("release 2");
  place(other, "web", JSON.stringify(CAT));
  place(other, "db", JSON.stringify({ args: ["cat"], version: 2 }));
  Deno.renameSync(colony.config, colony.dir.file("release 1"));
  for (const [index, release] of ["release 2", "release 1", "release 2"].entries()) {
    Deno.symlinkSync(release, colony.dir.file("link"));
    Deno.renameSync(colony.dir.file("link"), colony.config);
    await colony.started("db", index + 2);
    await untilAllRunAsWritten(colony);
  }
  assertEquals(["web", "db"].map((name) => colony.pidsOf(name).length), [1, 4]);
});

for (const [how, frequency] of [["seen by the watch", "1e9"], ["seen by a scan", "0.02"]] as const) {
  Deno.test(`an emptied config directory stops all processes until it is filled again, ${how}`, async () => {
    await using colony = new Colony({ args: ["--frequency", frequency], config: { web: CAT, db: CAT } });
    const pids = [await colony.started("web"), await colony.started("db")];
    for (const name of namesIn(colony.config)) colony.remove(name);
    for (const name of ["web", "db"]) await colony.waitFor(new RegExp(`${name}: stopping -> gone`));
    assertEquals(pids.map(isAlive), [false, false]);
    assertEquals([namesIn(colony.pids), colony.count(/WARN|ERROR/)], [[], 0]);
    colony.put("web", CAT);
    await untilAllRunAsWritten(colony);
    assertEquals(everStarted(colony), ["db", "web"]);
  });
}

const MOUNT = "mount -t tmpfs -o mode=0755 tmpfs";
const canMount = IS_ROOT && hasCommand("unshare") && hasCommand("nsenter") &&
  (await run(["unshare", "--mount", "sh", "-c", `${MOUNT} /mnt`])).code === 0;

Deno.test({
  name: "an unmounted config directory stops nothing, and is read once it is mounted again (skipped without mount)",
  ignore: !canMount,
  fn: async () => {
    // Only the monitor sees the mounts, and they end with it.
    await using colony = new Colony({ args: OFTEN, wrap: ["unshare", "--mount"] });
    await colony.waitFor(/INFO ncolony-monitor \S+ on /);
    const aside = colony.dir.dir("aside");
    const inside = async (script: string) => {
      const enter = ["nsenter", "-t", `${colony.process.pid}`, "-m", "sh", "-ec", script, colony.config, aside];
      assertEquals((await run(enter)).code, 0);
    };
    const mount = async (version: number) => {
      const db = JSON.stringify({ args: ["cat"], version });
      const fill = `echo '{"args": ["cat"]}' > "$1/web"; echo '${db}' > "$1/db"`;
      await inside(`${MOUNT} "$1"; ${fill}; mount --move "$1" "$0"`);
      await colony.started("db", version);
    };
    await mount(1);
    const [web, db] = [await colony.started("web"), await colony.started("db")];
    for (let round = 1; round <= 2; round++) {
      // The directory is busy while the monitor scans it.
      await inside('until umount "$0"; do sleep 0.05; done');
      await colony.waitFor(
        /ERROR cannot read the config directory .*: it is empty and not .* \(unmounted\?\); running/,
        round,
      );
      await restart(colony, "db", 2);
      colony.send({ type: "RESTART", name: "nobody" });
      await colony.waitFor(/no such process/, round);
      assertEquals(colony.count(/it is empty and not/), round);
      assertEquals(colony.pidsOf("web"), [web]);
      await mount(1 + 3 * round);
      await colony.waitFor(IS_BACK, round);
    }
    assertEquals([isAlive(web), isAlive(db)], [true, false]);
    assertEquals(colony.pidsOf("web"), [web]);
    assertEquals(colony.matching(/\(unwanted\)/), []);
  },
});

/** Becomes a command in a user namespace that may have no inotify instance. */
const NO_INSTANCES = 'echo 0 > /proc/sys/user/max_inotify_instances; exec "$@"';
const WITHOUT_INSTANCES = ["unshare", "--user", "--map-root-user", "sh", "-ec", NO_INSTANCES, "sh"];

Deno.test({
  name: "without an inotify instance, the monitor logs that once and still takes configs and messages",
  ignore: !hasCommand("unshare") || (await run([...WITHOUT_INSTANCES, "true"])).code !== 0,
  fn: async () => {
    await using colony = new Colony({ args: OFTEN, wrap: WITHOUT_INSTANCES, config: { web: CAT, db: CAT } });
    await colony.waitFor(
      /WARN cannot watch the directories: too many open files/,
    );
    const db = await colony.started("db");
    for (let version = 1; version <= 3; version++) {
      colony.put("web", { args: ["cat"], version });
      await colony.started("web", 2 * version);
      colony.put(`web${version}`, CAT);
      await colony.started(`web${version}`);
      await restart(colony, "web");
      colony.remove(`web${version}`);
      await colony.waitFor(new RegExp(`web${version}: stopping -> gone`));
    }
    await untilAllRunAsWritten(colony);
    assertEquals(colony.pidsOf("db"), [db]);
    assertEquals(colony.count(/cannot watch/), 1);
    assertEquals(colony.count(/WARN|ERROR/), 1);
  },
});
