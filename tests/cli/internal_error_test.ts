import { assertEquals } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { gone, MONITOR_PERMISSIONS, sh } from "./tools.ts";

/** Errors that the monitor's code does not expect, as statements. */
const ERRORS = {
  "that is thrown": 'throw new TypeError("planted")',
  "that rejects a promise": 'Promise.reject(new TypeError("planted"))',
  "that is not an Error": 'throw "planted"',
};

for (const [which, statement] of Object.entries(ERRORS)) {
  Deno.test(`an internal error ${which} stops all processes in order, is logged, and makes the exit code 1`, async () => {
    await using colony = new Colony({
      args: ["--killtime", "0.5"],
      permissions: [
        ...MONITOR_PERMISSIONS,
        `--preload=data:text/javascript,${encodeURIComponent(preloaded(statement))}`,
      ],
      config: { web: { args: ["cat"] }, stubborn: { args: sh("trap '' TERM; echo ready; while :; do sleep 1; done") } },
    });
    const pids = [await colony.started("web"), await colony.started("stubborn")];
    await colony.waitFor(/^\[stubborn\] ready$/);
    Deno.writeTextFileSync(colony.dir.file("config", ".error"), "");
    assertEquals(await colony.ended(), 1);
    assertEquals(colony.count(/ERROR internal error, stopping: .*planted/), 1);
    assertEquals(colony.count(/(web|stubborn): \w+ -> gone/), 2);
    await gone(...pids);
    assertEquals(pids.map(isAlive), [false, false]);
  });
}

/** Returns a script that waits for the file `.error` in the config directory. */
function preloaded(statement: string): string {
  return `
    const config = Deno.args[Deno.args.indexOf("--config") + 1];
    const timer = setInterval(() => {
      try { Deno.statSync(config + "/.error"); } catch { return; }
      clearInterval(timer);
      ${statement};
    }, 20);
    // The program itself begins only when nothing is left to do here.
    Deno.unrefTimer(timer);`;
}
