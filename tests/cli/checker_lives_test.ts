import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { silent, type Tool } from "./checkers.ts";
import { Colony } from "./harness.ts";
import { Program } from "./program.ts";
import { asked, Server } from "./servers.ts";
import { sh, signalIfThere, timeOf, toolCommand } from "./tools.ts";

/** Starts a checker of a colony that scans often and reads the pid files. */
function check(tool: Tool, colony: Colony): Program {
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net=127.0.0.1"];
  const options = [...colony.places, "--pid", colony.pids, "--freq", "0.05"];
  return new Program([...toolCommand(`${tool}/mod.ts`, permissions), ...options]);
}

/** Returns when a process was started, and when its restart was asked for, in milliseconds since 1970. */
function timesOf(colony: Colony, checker: Program, name: string): { starts: number[]; asks: number[] } {
  const times = (lines: readonly string[], pattern: RegExp) => lines.filter((line) => pattern.test(line)).map(timeOf);
  return {
    starts: times(colony.lines, new RegExp(` ${name}: \\w+ -> running `)),
    asks: times(checker.lines, new RegExp(` ${name}: .*: asked for a restart$`)),
  };
}

/** Fails if a checker asked for two restarts in one life of a process, or for one within its grace. */
function assertPatient(colony: Colony, checker: Program, name: string, graceMs: number): void {
  const { starts, asks } = timesOf(colony, checker, name);
  for (const ask of asks) {
    const start = starts.findLast((start) => start <= ask)!;
    // Two programs log these times, each by its own clock reading.
    assertGreaterOrEqual(ask - start, graceMs - 100, `${name} was asked for too early`);
  }
  assertLessOrEqual(asks.length, starts.length, `${name} was asked for twice in one life`);
}

/** A process that exits late. A request that was meant for it must not hit its successor. */
const STUBBORN = sh("trap '' TERM; while :; do sleep 0.1; done");

for (const tool of ["httpcheck", "beatcheck"] as const) {
  Deno.test(`${tool} leaves each life of a process alone for the grace, whatever started it, and asks once in each`, async () => {
    await using server = new Server(() => new Response(null, { status: 500 }));
    await using colony = new Colony();
    const [period, grace] = [0.2, 7];
    const config = tool === "httpcheck"
      ? asked(server.url("/"), { period, grace, maxBad: 0 })
      : silent({ period, grace, status: colony.dir.file("no-heart") });
    colony.put("web", { ...config, args: ["sleep", "1000"] });
    colony.put("slow", { ...config, args: STUBBORN, "ncolony.monitor": { kill_time: 2.5 } });
    await colony.started("web");
    await using checker = check(tool, colony);
    await checker.waitFor(/ web: .*: asked for a restart$/);
    // It is killed just when the grace after the request ends, so its successor has a grace of its own.
    signalIfThere(await colony.started("web", 2), "SIGKILL");
    await colony.started("web", 3);
    const asks = () => timesOf(colony, checker, "web").asks.length;
    await checker.until("its restart is asked for again", () => asks() >= 2);
    colony.send({ type: "RESTART", name: "web" });
    await checker.until("and again", () => asks() >= 3);
    await checker.until("that of the slow one too", () => timesOf(colony, checker, "slow").asks.length >= 2);
    for (const name of ["web", "slow"]) assertPatient(colony, checker, name, period * grace * 1000);
    assertEquals(checker.matching(/WARN cannot read process start times/), []);
  });

  Deno.test(`${tool} does not defeat the backoff of a process that crashes again and again`, async () => {
    await using server = new Server(() => new Response(null, { status: 500 }));
    await using colony = new Colony({ args: ["--threshold", "5"] });
    const config = tool === "httpcheck"
      ? asked(server.url("/"), { period: 0.1, grace: 30, maxBad: 0 })
      : silent({ period: 0.1, grace: 30, status: colony.dir.file("no-heart") });
    await using checker = check(tool, colony);
    colony.put("canary", { ...config, args: ["sleep", "1000"] });
    colony.put("web", { ...config, args: sh("sleep 0.3; exit 1") });
    await colony.started("web", 4);
    const { starts, asks } = timesOf(colony, checker, "web");
    // Delays of 1, 2 and 4 s.
    assertGreater(starts[3]! - starts[0]!, 7000);
    assertEquals(asks, []);
    assert(timesOf(colony, checker, "canary").asks.length > 0, "meanwhile it works");
  });
}

Deno.test("httpcheck leaves a process alone that exits because of the request", async () => {
  await using server = new Server(async () => {
    // The log may be read late, so the pid file says which process is asked.
    signalIfThere(await colony.pidFile("web"), "SIGKILL");
    return new Response(null, { status: 500 });
  });
  await using colony = new Colony({ args: ["--threshold", "60"] });
  await using checker = check("httpcheck", colony);
  colony.put("web", { ...asked(server.url("/"), { period: 0.1, maxBad: 0 }), args: ["sleep", "1000"] });
  await colony.started("web", 3);
  assertEquals(timesOf(colony, checker, "web").asks, []);
  const { starts } = timesOf(colony, checker, "web");
  assertGreater(starts[2]! - starts[0]!, 3000);
});

Deno.test("a misspelled key in a config keeps no process from running, and the program that would read it logs it", async () => {
  await using server = new Server(() => new Response(null, { status: 500 }));
  await using colony = new Colony();
  await using checker = check("httpcheck", colony);
  await using hearts = check("beatcheck", colony);
  colony.put("typo", { args: ["cat"], "ncolony.htpcheck": {} });
  colony.put("http", asked(server.url("/"), { maxBad: 0, headres: { Host: "hunter2" } }));
  colony.put("beat", {
    args: ["cat"],
    "ncolony.beatcheck": { period: 0.1, grace: 0, status: colony.dir.file("no-heart"), staus: "hunter2" },
  });
  for (const name of ["typo", "http", "beat"]) await colony.started(name);
  await colony.waitFor(
    /WARN typo: unknown key "ncolony.htpcheck": did you mean "ncolony.httpcheck"\?$/,
  );
  await checker.waitFor(
    /WARN http: HTTP responses are not checked: unknown key "ncolony.httpcheck.headres"; known keys: url, /,
  );
  await hearts.waitFor(
    /WARN beat: heartbeat is not checked: unknown key "ncolony.beatcheck.staus"; known keys: period, /,
  );
  assertEquals(colony.count(/unknown key/), 1);
  assertEquals([...checker.lines, ...hearts.lines].filter((line) => line.includes("hunter2")), []);
});
