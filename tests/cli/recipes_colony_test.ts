import { assertEquals, assertMatch } from "@std/assert";
import { dirname, join } from "@std/path";
import { isAlive, tempDir, until } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { Program } from "./program.ts";
import { scriptsOf } from "./recipes.ts";
import { namesIn, run, sh } from "./tools.ts";

Deno.test("docs/recipes.md: many instances of one program are symlinks to a template", async () => {
  await using colony = new Colony({ args: ["--frequency", "1000"] });
  const { dir } = colony;
  const worker = dir.write("worker", '#!/bin/sh\necho "$1"; exec sleep 1000\n');
  Deno.chmodSync(worker, 0o755);
  Deno.symlinkSync("config", dir.file("conf"));
  const [script] = scriptsOf("Many instances of one program");
  const made = await run(sh(`cd '${dir.path}' && ${script!.replaceAll("/usr/bin/worker", worker)}`));
  assertEquals(made, { code: 0, stdout: "", stderr: "" });
  await colony.waitFor(/^\[worker-mail\] --queue=mail$/);
  await colony.waitFor(/^\[worker-images\] --queue=images$/);
  const template = dir.file("templates", "worker");
  const changed = Deno.readTextFileSync(template).replace("--queue", "--work");
  Deno.writeTextFileSync(template, changed);
  assertEquals((await colony.ctl("restart-group", "workers")).code, 0);
  await colony.waitFor(/^\[worker-mail\] --work=mail$/);
  await colony.waitFor(/^\[worker-images\] --work=images$/);

  assertEquals((await colony.ctl("remove", "worker-mail")).code, 0);
  await colony.waitFor(/ worker-mail: stopping -> gone/);
  assertEquals((await colony.ctl("add", "worker-images", "--cmd", "/bin/cat")).code, 0);
  await colony.started("worker-images", 3);
  assertEquals([Deno.lstatSync(join(colony.config, "worker-images")).isFile, Deno.readTextFileSync(template)], [
    true,
    changed,
  ]);
  assertEquals(await colony.stop(), 0);
});

Deno.test("docs/recipes.md: a whole host runs from bundles, under one reaper", async () => {
  using dir = tempDir();
  const moved = (text: string) =>
    text.replaceAll("PATH=/usr/local/bin:", `PATH=${dirname(Deno.execPath())}:`)
      .replaceAll(/\/(usr\/local\/lib|etc|run|var\/cache)\/ncolony/g, (path) => dir.file(path.slice(1)))
      .replaceAll("/usr/local/bin/backup", "/bin/true");
  const [bundle, once, start] = scriptsOf("A whole host from bundles").map(moved);
  assertEquals((await run(sh(bundle!.replaceAll("deno ", `'${Deno.execPath()}' `)))).code, 0);
  const made = await run(sh(`set -e; ${once}`));
  assertEquals(made, { code: 0, stdout: "", stderr: "" });
  await using reaper = new Program(sh(start!), { env: { DENO_DIR: dir.file("var", "cache", "ncolony") } });
  const pidFiles = dir.file("run", "ncolony", "pids");
  await reaper.until("all run", () => reaper.count(/: gone -> running/) === 3);
  await reaper.until("the scheduler has a plan", () => reaper.count(/^\[backup\] .* next /) > 0);
  const pids = namesIn(pidFiles).map((name) => Number(Deno.readTextFileSync(join(pidFiles, name))));
  assertEquals(pids.length, 3);
  assertEquals(await reaper.stop(), 0);
  assertMatch(reaper.lines.at(-1)!, / INFO all processes have ended$/);
  await until("nobody is left", () => !pids.some(isAlive));
});
