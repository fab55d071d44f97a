import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { tempDir, until } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { MONITOR_PERMISSIONS, sh } from "./tools.ts";

const NAMES = Array.from({ length: 24 }, (_, i) => `web${i}`);

/** The words that limit a command to fewer file descriptors than that many processes need. */
const SCARCE = [...sh('ulimit -n 128 && exec "$@"'), "sh"];

for (const permissions of [["-A"], MONITOR_PERMISSIONS]) {
  const title = `with too few file descriptors for all processes (${permissions[0]})`;
  Deno.test(`a monitor ${title} reports that, and serves the other processes as usual`, async () => {
    using dir = tempDir();
    const logs = dir.dir("logs");
    const ticking = { args: sh("while :; do echo tick; sleep 0.1; done") };
    await using colony = new Colony({
      args: ["--logs", logs, "--frequency", "0.5"],
      wrap: SCARCE,
      permissions,
      config: Object.fromEntries(NAMES.map((name) => [name, ticking])),
    });
    const isRefused = (name: string) =>
      colony.count(RegExp(` ${name}: .*\\(cannot start: too many open files\\)$`)) > 0;
    await colony.until(
      "all were tried",
      () => NAMES.every((name) => isRefused(name) || colony.pidsOf(name).length > 0),
    );
    const running = NAMES.filter((name) => !isRefused(name));
    const refused = NAMES.filter(isRefused);
    assert(running.length > 2 && refused.length > 2, `${running.length} run`);

    // The running processes keep writing.
    const sizeOf = (name: string) => Deno.statSync(join(logs, `${name}.log`)).size;
    const before = new Map(running.map((name) => [name, sizeOf(name)]));
    await until("all go on writing", () => running.every((name) => sizeOf(name) >= before.get(name)! + 15));
    // Files are rotated, messages are taken, and configs are read.
    colony.put("wrong", "{");
    await colony.waitFor(/ wrong: invalid config: invalid JSON/);
    colony.send({ type: "RESTART", name: running[0] });
    await colony.waitFor(RegExp(` ${running[0]}: running -> stopping \\(restart\\)$`));
    for (const name of running) colony.remove(name);
    for (const name of refused) await colony.started(name);

    assertEquals(await colony.stop(), 0);
    const told = colony.lines.filter((line) => /too many/.test(line) && !/\(cannot start: too many/.test(line));
    assertEquals(told, []);
  });
}
