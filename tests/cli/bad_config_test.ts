import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { join } from "@std/path";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { hasCommand, IS_ROOT, sh } from "./tools.ts";

const CAT = { args: ["cat"] };

Deno.test("an invalid config stops no process, is logged once per content, and is replaced by a valid one", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.1"], config: { web: CAT } });
  const web = await colony.started("web");
  colony.put("web", '{"args": ["cat"');
  const complaint = /WARN web: invalid config: (.*); the last valid config stays in effect$/;
  assertEquals((await colony.waitFor(complaint))[1], "invalid JSON at line 1, column 16: a ] is missing at the end");
  // Writes the same content again as new files, with several scans in between.
  for (let round = 0; round < 3; round++) {
    colony.put("web", '{"args": ["cat"');
    await colony.fence();
  }
  assertEquals(colony.count(complaint), 1);
  colony.put("web", '{"args": []}');
  const second = (await colony.waitFor(complaint, 2))[1];
  assertEquals(second, '"args" must be a non-empty array of strings that begins with a command: got an empty array');
  assertEquals([isAlive(web), colony.pidsOf("web")], [true, [web]]);

  colony.put("web", { args: ["cat"], version: 2 });
  await colony.started("web", 2);
  colony.put("web", '{"args": []}');
  await colony.waitFor(complaint, 3);
  colony.put("web", { args: ["cat"], version: 2 });
  await colony.fence();
  assertEquals(colony.pidsOf("web").length, 2, "mended to what runs, there is nothing to do");
  assertEquals(colony.count(/INFO web: config is valid again$/), 2);
  colony.remove("web");
  await colony.waitFor(/web: stopping -> gone/);
});

Deno.test("ctl removes an invalid config, and its process stops", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  const web = await colony.started("web");
  colony.put("web", "nonsense");
  await colony.waitFor(/web: invalid config/);
  assertEquals((await colony.ctl("remove", "web")).code, 0);
  await colony.waitFor(/web: stopping -> gone/);
  assertEquals(isAlive(web), false);
});

/** Waits for a failed start. The next attempt is at least a second later, whatever the options say. */
async function failed(colony: Colony, name: string, reason: RegExp): Promise<void> {
  await colony.waitFor(new RegExp(`${name}: running -> stopping \\(cannot start: ${reason.source}`));
  const wait = await colony.waitFor(new RegExp(`${name}: stopping -> waiting for ([\\d.]+) s`));
  assertLessOrEqual(0.9, Number(wait[1]));
}

Deno.test("the monitor retries a failed start after a second at the earliest, until the process runs", async () => {
  await using colony = new Colony({ args: ["-m", "0.01"] });
  const cwd = colony.dir.file("later");
  const tool = colony.dir.file("tool");
  colony.put("no-command", { args: ["ncolony-has-no-such-command"] });
  colony.put("no-path", { args: [tool] });
  colony.put("no-cwd", { args: ["cat"], "ncolony.monitor": { cwd } });
  colony.put("no-program", { args: [colony.dir.path] });
  await failed(colony, "no-command", /command "ncolony-has-no-such-command"/);
  await failed(colony, "no-path", new RegExp(`command "${tool}"`));
  await failed(colony, "no-cwd", new RegExp(`cwd "${cwd}" is not a directory`));
  await failed(colony, "no-program", /.*[Pp]ermission denied/);
  Deno.mkdirSync(cwd);
  Deno.writeTextFileSync(tool, "#!/bin/sh\nexec cat\n", { mode: 0o755 });
  const pids = [await colony.started("no-cwd"), await colony.started("no-path")];
  // The retry after a config change does not wait.
  colony.put("no-command", CAT);
  pids.push(await colony.started("no-command"));
  assert(pids.every(isAlive));
});

Deno.test({
  name: "the monitor retries after a second at the earliest if it may not switch to the config's user",
  ignore: IS_ROOT && !hasCommand("setpriv"),
  fn: async () => {
    // Root may switch to any user unless it has lost that capability.
    const wrap = IS_ROOT ? ["setpriv", "--bounding-set=-setuid,-setgid"] : [];
    await using colony = new Colony({ args: ["-m", "0.01"], wrap, config: { db: CAT } });
    const db = await colony.started("db");
    colony.put("web", { args: ["cat"], uid: 1, gid: 1 });
    await failed(colony, "web", /.*not permitted/);
    colony.put("web", CAT);
    const web = await colony.started("web");
    assertEquals([web, db].map(isAlive), [true, true]);
  },
});

Deno.test("the monitor reports a dangling symbolic link, and starts the process once its target exists", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.1"] });
  await colony.fence();
  const target = colony.dir.file("target");
  Deno.symlinkSync(target, join(colony.config, "web"));
  await colony.waitFor(/WARN web: invalid config: dangling symbolic link/);
  Deno.writeTextFileSync(target, JSON.stringify({ args: sh("echo hello; exec cat") }));
  await colony.started("web");
  Deno.removeSync(target);
  await colony.waitFor(/WARN web: invalid config: dangling symbolic link; the last valid config stays in effect/);
  await colony.fence();
  assertEquals(colony.pidsOf("web").length, 1);
});
