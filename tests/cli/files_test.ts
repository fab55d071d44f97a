import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { quickly } from "./quickly.ts";
import { hasCommand, namesIn, rested, run } from "./tools.ts";

const CAT = { args: ["cat"] };

Deno.test("a process starts once its file exists, before or after the monitor starts, and stops with its file", async () => {
  // A full scan comes once in a lifetime: only the watch sees later changes.
  await using colony = new Colony({ args: ["--frequency", "1e9"], config: { early: CAT } });
  const early = await colony.started("early");
  colony.put("renamed", CAT);
  const renamed = await colony.started("renamed");
  Deno.writeTextFileSync(join(colony.config, "in place"), JSON.stringify(CAT));
  const inPlace = await colony.started("in place");
  assertEquals((await colony.ctl("add", "posted", "--cmd", "cat")).code, 0);
  const posted = await colony.started("posted");

  colony.remove("renamed");
  await colony.waitFor(/renamed: stopping -> gone/);
  assertEquals((await colony.ctl("remove", "posted")).code, 0);
  await colony.waitFor(/posted: stopping -> gone/);
  assertEquals([early, renamed, inPlace, posted].map(isAlive), [true, false, true, false]);
  assertEquals(colony.pidsOf(), [early, renamed, inPlace, posted]);
});

Deno.test("a changed file restarts its process at once and no other", async () => {
  await using colony = new Colony({ config: { web: CAT, db: CAT, cache: CAT } });
  const [web, db, cache] = [await colony.started("web"), await colony.started("db"), await colony.started("cache")];
  await rested();
  colony.put("web", { args: ["cat"], env: { VERSION: "2" } });
  assertNotEquals(await colony.started("web", 2), web);
  await colony.waitFor(/web: running -> stopping \(config changed\)/);
  await colony.fence();
  assertEquals(isAlive(web), false);
  assertEquals([db, cache].map(isAlive), [true, true]);
  assertEquals([colony.pidsOf("db"), colony.pidsOf("cache")], [[db], [cache]]);
  assertEquals(colony.matching(/waiting/), []);
});

Deno.test("a file that is rewritten with the same bytes restarts nothing", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  await colony.started("web");
  colony.put("web", CAT);
  Deno.writeTextFileSync(join(colony.config, "web"), JSON.stringify(CAT));
  await colony.fence();
  assertEquals(colony.pidsOf("web").length, 1);
});

Deno.test("a disabled process does not run until its config enables it, and stops once its config disables it again", async () => {
  const off = { args: ["cat"], "ncolony.monitor": { enabled: false } };
  await using colony = new Colony({ config: { web: off } });
  colony.send({ type: "RESTART", name: "web" });
  await colony.waitFor(/RESTART "web": no such process is configured/);
  assertEquals(colony.pidsOf("web"), []);
  colony.put("web", CAT);
  const pid = await colony.started("web");
  colony.put("web", off);
  await colony.waitFor(/web: stopping -> gone/);
  assertEquals(isAlive(pid), false);
});

Deno.test("the monitor silently ignores directories, and names that begin with a dot or end with .new", async () => {
  await using colony = new Colony({ config: { ".hidden": "{", "web.new": "{" } });
  await colony.fence();
  Deno.mkdirSync(join(colony.config, "folder"));
  Deno.writeTextFileSync(join(colony.config, "db.new"), "{");
  await colony.fence();
  assertEquals(colony.lines.filter((line) => !/ncolony-monitor|fence-/.test(line)), []);
});

const EDITS: readonly (readonly [tool: string, edit: (path: string, aside: string, version: number) => string[]])[] = [
  ["cp", (path, aside) => ["cp", aside, path]],
  ["cat > file", (path, aside) => ["sh", "-c", `cat '${aside}' > '${path}'`]],
  ["sed -i", (path, _, version) => ["sed", "-i", `s/"version":[0-9]*/"version":${version}/`, path]],
  ["vim", (path, _, version) => {
    return ["vim", "-e", "-s", "-N", "-u", "NONE", "-c", `%s/"version":[0-9]*/"version":${version}/`, "-c", "wq", path];
  }],
];

for (const [tool, edit] of EDITS) {
  Deno.test({
    name: `an edit in place by ${tool} restarts the process once, and starts nothing else`,
    ignore: !hasCommand(tool.split(" ")[0]),
    fn: async () => {
      await using colony = new Colony({ config: { web: { args: ["cat"], version: 0 } } });
      const aside = colony.dir.file("aside");
      let version = 0;
      let before = 0;
      await quickly(
        async () => {
          version++;
          Deno.writeTextFileSync(aside, JSON.stringify({ args: ["cat"], version }));
          assertEquals((await run(edit(join(colony.config, "web"), aside, version))).code, 0);
        },
        async () => {
          // The first one is started in the turn that asks for the restart of an earlier round, before that.
          await colony.fence();
          await colony.fence();
          const stops = () => colony.count(/ web: running -> stopping/);
          await colony.until("web runs", () => stops() === colony.pidsOf("web").length - 1);
          before = colony.pidsOf("web").length;
        },
      );
      await colony.started("web", before + 1);
      await colony.fence();
      assertEquals(JSON.parse(Deno.readTextFileSync(join(colony.config, "web"))), { args: ["cat"], version });
      assertEquals(colony.pidsOf("web").length, before + 1);
      assertEquals(namesIn(colony.pids).filter((name) => !name.startsWith("fence-")), ["web"]);
      if (version > 1) return;
      assertEquals(colony.matching(/invalid config|\(unwanted\)/), []);
      assertEquals(colony.lines.filter((line) => !/web: |fence-|ncolony-monitor/.test(line)), []);
    },
  });
}

Deno.test("the monitor never runs a file that exists only for a moment", async () => {
  await using colony = new Colony();
  let round = 0;
  await quickly(
    async () => {
      Deno.writeTextFileSync(join(colony.config, `moment-${round}`), JSON.stringify(CAT));
      // The witness is renamed into place and so taken at once: when it runs, the monitor has seen the earlier file.
      colony.put(`witness-${round}`, CAT);
      await colony.started(`witness-${round}`);
      colony.remove(`moment-${round}`);
    },
    async () => {
      await colony.fence();
      round++;
    },
  );
  await colony.fence();
  assertEquals(colony.pidsOf(`moment-${round}`), []);
});

Deno.test("a file that is half written for a moment neither stops its process nor is reported", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  let round = 0;
  await quickly(
    async () => {
      const text = JSON.stringify({ args: ["cat"], version: round });
      Deno.writeTextFileSync(join(colony.config, "web"), text.slice(0, 10));
      colony.put(`witness-${round}`, CAT);
      await colony.started(`witness-${round}`);
      Deno.writeTextFileSync(join(colony.config, "web"), text);
    },
    async () => {
      // If the last round took too long, its file takes effect before the next one is written.
      await colony.started("web", round + 1);
      round++;
    },
  );
  await colony.started("web", round + 1);
  await colony.fence();
  assert(round > 1 || colony.count(/invalid config/) === 0);
  assertEquals(colony.pidsOf("web").length, round + 1);
});

Deno.test("a config directory that is missing, or empty and not the same as before, stops nothing", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.2"], config: { web: CAT } });
  const web = await colony.started("web");
  Deno.renameSync(colony.config, colony.dir.file("aside"));
  await colony.waitFor(/the config directory .*: no such file or directory; running processes keep running/);
  colony.dir.dir("config");
  await colony.waitFor(/the config directory .*: it is empty and not the same directory as before/);
  assertEquals(isAlive(web), true);
  colony.put("web", CAT);
  await colony.waitFor(/the config directory .* can be read again/);
  colony.put("db", CAT);
  await colony.started("db");
  assertEquals(colony.pidsOf("web"), [web]);
});
