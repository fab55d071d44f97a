import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { gone, run } from "./tools.ts";

const CAT = { args: ["cat"] };

for (const place of ["config", "messages"] as const) {
  Deno.test(`a named pipe in the ${place} directory keeps the monitor neither from working nor from stopping`, async () => {
    await using colony = new Colony({ args: ["--frequency", "0.5"], config: { web: CAT } });
    const first = await colony.started("web");
    assertEquals((await run(["mkfifo", join(colony[place], "pipe")])).code, 0);
    await colony.waitFor(
      place === "config"
        ? /WARN pipe: invalid config: not a regular/
        : /"pipe" is invalid and was moved to .rejected: not a regular/,
    );
    colony.send({ type: "RESTART", name: "web" });
    const second = await colony.started("web", 2);
    assertEquals([first, second].map(isAlive), [false, true]);
    assertEquals(await colony.stop(), 0);
    await gone(second);
  });
}

Deno.test("a symlink to a named pipe keeps the monitor neither from working nor from stopping", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.5"], config: { web: CAT } });
  await colony.started("web");
  const pipe = colony.dir.file("pipe");
  assertEquals((await run(["mkfifo", pipe])).code, 0);
  Deno.symlinkSync(pipe, join(colony.messages, "link"));
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
  assertEquals(await colony.stop(), 0);
});

Deno.test("a named pipe that comes and goes, and a directory that is created again after it, block nothing", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.5"], config: { web: CAT } });
  await colony.started("web");
  assertEquals((await run(["mkfifo", join(colony.config, "pipe")])).code, 0);
  Deno.removeSync(join(colony.config, "pipe"));
  // A directory that is created again is watched again.
  Deno.renameSync(colony.config, colony.dir.file("aside"));
  await colony.waitFor(/the config directory .*: no such file or directory/);
  colony.dir.dir("config");
  colony.put("db", CAT);
  await colony.started("db");
  assertEquals(await colony.stop(), 0);
});
