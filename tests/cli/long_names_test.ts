import { assert, assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { Checker, Ground, silent } from "./checkers.ts";
import { Colony } from "./harness.ts";
import { Program } from "./program.ts";
import { command, PATIENT, Scheduled } from "./scheduling.ts";
import { MONITOR_PERMISSIONS, place, sh } from "./tools.ts";

/** A name nearly as long as a file name may be, and how it is shown. */
const LONG = "x".repeat(250);
const CUT = `${"x".repeat(100)}…`;

/** Returns a monitor that has logged things with long names, and has stopped. */
async function stopped(format: "text" | "json"): Promise<Colony> {
  const colony = new Colony({ args: ["--log-format", format] });
  try {
    colony.put(LONG, { args: sh("echo out; echo err >&2; exec cat") });
    for (const line of ["out", "err"]) await colony.waitFor(new RegExp(`${line}("})?$`));
    await colony.waitFor(/x…: gone -> running/);
    colony.put(LONG, "{");
    await colony.waitFor(/x…: invalid config/);
    place(colony.messages, `wrong-${"m".repeat(200)}`, "{");
    await colony.waitFor(/message .*wrong-m{94}….* is invalid/);
    place(colony.messages, "m".repeat(200), JSON.stringify({ type: "RESTART", name: LONG }));
    await colony.waitFor(/message .*m{100}….*RESTART .*x{100}…/);
    assertEquals(await colony.stop(), 0);
    return colony;
  } catch (error) {
    await colony[Symbol.asyncDispose]();
    throw error;
  }
}

Deno.test("the log cuts long names of processes and messages at 100 characters", async () => {
  await using colony = await stopped("text");
  assert(colony.lines.includes(`[${CUT}] out`) && colony.lines.includes(`[${CUT}] err`));
  for (const line of colony.lines) assert(!/x{101}|m{101}/.test(line), line);
});

Deno.test("the JSON log cuts long names in messages, and has the whole name in the process field", async () => {
  await using colony = await stopped("json");
  for (const { process, message } of colony.lines.map((line) => JSON.parse(line))) {
    assert(process === null || process === LONG);
    assert(!/x{101}|m{101}/.test(message), message);
  }
});

/** Configs with a value as long as a config may be. */
const HUGE = "y".repeat(100_000);
const HUGE_CONFIGS: Readonly<Record<string, unknown>> = {
  path: { args: [`/${HUGE}`] },
  bare: { args: [HUGE] },
  cwd: { args: ["cat"], "ncolony.monitor": { cwd: `/${HUGE}` } },
  key: { args: ["cat"], "ncolony.monitor": { [HUGE]: 1 } },
  log: { args: ["cat"], "ncolony.monitor": { log: { [HUGE]: 1 } } },
  signal: { args: ["cat"], "ncolony.monitor": { stop_signal: HUGE } },
  variable: { args: ["cat"], env: { [HUGE]: 1 } },
  inherited: { args: ["cat"], env_inherit: [HUGE] },
};

Deno.test("nothing in a config or a message makes a line of the log long", async () => {
  const permissions = MONITOR_PERMISSIONS.map((flag) => flag === "--allow-env" ? "--allow-env=HOME" : flag);
  await using colony = new Colony({ config: HUGE_CONFIGS, permissions });
  for (const name of Object.keys(HUGE_CONFIGS)) await colony.waitFor(new RegExp(` WARN ${name}: `));
  colony.send({ type: "RESTART", name: HUGE.slice(0, 60_000) });
  colony.send({ type: "RESTART-GROUP", group: HUGE.slice(0, 60_000) });
  colony.send({ type: HUGE.slice(0, 60_000) });
  await colony.waitFor(/ WARN message /, 3);
  for (const line of colony.lines) assertLessOrEqual(line.length, 700, line.slice(0, 1000));
  // The line still names the problem, even at the end of a reason.
  await colony.waitFor(/ path: .*y…y.*: file name too long/);
  await colony.waitFor(/ key: invalid config: unknown key "ncolony\.monitor\.y+…"; known keys: cwd, /);
});

Deno.test("nothing in a config makes a line of beatcheck long", async () => {
  using ground = new Ground();
  ground.put("long", silent({ period: 0.01, grace: 0, status: `/${HUGE}` }));
  for (const name of [LONG, `${LONG}2`]) {
    ground.put(name, silent({ period: 0.01, grace: 0, status: ground.dir.file("none") }));
  }
  await using checker = new Checker("beatcheck", ground);
  await checker.waitFor(/ long: cannot read heartbeat file ".*y…y.*": file name too long/);
  await checker.waitFor(/ x{100}…: no heartbeat for 0.01 s: asked for a restart$/);
  await checker.waitFor(/ x{100}…: its heartbeat file .* is also used by x{100}…: make it a directory$/);
  for (const line of checker.lines) assertLessOrEqual(line.length, 700, line.slice(0, 1000));
});

Deno.test("nothing in a config or a name makes a line of a heart long", async () => {
  const beat = { period: 1, grace: 1, status: `/${HUGE}` };
  const faults = [
    [{ "ncolony.beatcheck": beat }, /^heart: cannot touch heartbeat file ".*y…y.*": file name too long$/],
    [
      { "ncolony.beatcheck": { ...beat, period: "often" } },
      /^heart: no heartbeat: Cannot parse config "x{100}…": .*$/,
    ],
  ] as const;
  for (const [config, fault] of faults) {
    const env = { NCOLONY_NAME: LONG, NCOLONY_CONFIG: JSON.stringify(config) };
    await using program = new Program([Deno.execPath(), "run", "--quiet", "-A", "tests/host/heart_program.ts"], {
      env,
    });
    assertEquals(await program.ended(), 0);
    assertMatch(program.stderr.join("\n"), fault);
    assertLessOrEqual(program.stderr.join("\n").length, 700);
  }
});

Deno.test("nothing in its command makes a line of the scheduler long", async () => {
  await using scheduled = new Scheduled(() => ["--once", ...PATIENT, ...command(`/${HUGE}`)]);
  assertEquals(await scheduled.ended(), 127);
  assertEquals(scheduled.lines.length, 2);
  for (const line of scheduled.lines) {
    assertMatch(
      line,
      / INFO ncolony-scheduler \S+ runs \/y+…y+ once$| WARN run 1: cannot start: .*y…y.*: file name too long/,
    );
    assertLessOrEqual(line.length, 700);
  }
});
