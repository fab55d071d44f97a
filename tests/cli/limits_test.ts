import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { isAlive, tempDir } from "../helpers.ts";
import { Ground, silent } from "./checkers.ts";
import { Colony } from "./harness.ts";
import { Program } from "./program.ts";
import { Reaped } from "./reaping.ts";
import { command, PATIENT } from "./scheduling.ts";
import { asked, Server } from "./servers.ts";
import { BEYOND_LIMIT, gone, LIMITED, namesIn, ROOT, sh, toolCommand } from "./tools.ts";

/** The words that limit a command to one second of CPU time. The command may raise the limit again. */
const BRIEF = [...sh('ulimit -S -t 1 && exec "$@"'), "sh"];

/** Starts a program under a file size limit that its log has already reached. */
function withLog(ground: Ground, module: string, permissions: readonly string[], argv: readonly string[]): Program {
  const log = ground.dir.write("log", "");
  Deno.truncateSync(log, BEYOND_LIMIT);
  return new Program([...LIMITED, ...toolCommand(module, permissions), ...argv, "--log-file", log]);
}

/** Checks that a program goes on, and logs only once that it cannot write. */
async function assertGoesOn(program: Program, condition: () => boolean): Promise<void> {
  await program.until("it works", condition);
  assertEquals([await program.stop(), program.lines.length], [0, 1]);
  assertMatch(program.stderr[0]!, / ERROR cannot write to .*log: .*; its output is lost$/);
}

Deno.test("the scheduler goes on when its log has reached a file size limit", async () => {
  using ground = new Ground();
  const runs = ground.dir.write("runs", "");
  const argv = ["--frequency", "0.05", ...PATIENT, ...command("sh", "-c", `echo >> '${runs}'`)];
  await using scheduler = withLog(ground, "scheduler/mod.ts", PERMISSIONS.scheduler, argv);
  await assertGoesOn(scheduler, () => Deno.statSync(runs).size >= 5);
});

Deno.test("beatcheck goes on when its log has reached a file size limit", async () => {
  using ground = new Ground();
  ground.put("web", silent({ period: 0.01, grace: 0, status: ground.dir.file("heart") }));
  const argv = [...ground.places, "--freq", "0.05"];
  await using checker = withLog(ground, "beatcheck/mod.ts", PERMISSIONS.beatcheck, argv);
  let taken = 0;
  await assertGoesOn(checker, () => (taken += ground.take("web")) >= 3);
});

Deno.test("httpcheck goes on when its log has reached a file size limit", async () => {
  await using server = new Server(() => new Response(null, { status: 500 }));
  using ground = new Ground();
  ground.put("web", asked(server.url("/"), { maxBad: 0 }));
  const argv = [...ground.places, "--freq", "0.05"];
  await using checker = withLog(ground, "httpcheck/mod.ts", PERMISSIONS.httpcheck, argv);
  let taken = 0;
  await assertGoesOn(checker, () => (taken += ground.take("web")) >= 3);
});

Deno.test("ctl reports that a file size limit keeps it from writing a config, and leaves no file behind", async () => {
  using ground = new Ground();
  const script = ground.dir.file("ctl.js");
  const bundle = ["bundle", "--quiet", "--platform", "deno", "--output", script, join(ROOT, "ctl/mod.ts")];
  assertEquals((await new Deno.Command(Deno.execPath(), { args: bundle, cwd: ROOT }).output()).code, 0);
  const extras = JSON.stringify({ text: "x".repeat(100_000) });
  const argv = [...ground.places, "add", "web", "--cmd", "cat", "--extras", extras];
  const words = [
    Deno.execPath(),
    "run",
    "--no-config",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    script,
    ...argv,
  ];
  // Deno's own caches would exceed the limit.
  await using ctl = new Program([...sh('ulimit -f 32 && exec "$@"'), "sh", ...words], {
    env: { DENO_DIR: "/dev/null" },
  });
  assertEquals([await ctl.ended(), namesIn(ground.config)], [1, []]);
  assertMatch(ctl.lines.join("\n"), /^ncolony-ctl: Cannot write ".*": file too large$/);
});

Deno.test("a monitor that has used up its CPU time stops all processes and exits with 1", async () => {
  using dir = tempDir();
  const bye = dir.file("bye");
  // Its output keeps the monitor busy.
  const chatty = { args: sh("ulimit -S -t unlimited; exec yes") };
  const polite = { args: sh(`trap "sleep 0.2; echo bye > '${bye}'; exit" TERM; while :; do sleep 0.02; done`) };
  const wrap = [...BRIEF, ...sh('exec "$@" > /dev/null'), "sh"];
  await using colony = new Colony({ wrap, config: { chatty, polite } });
  const pids = [await colony.started("chatty"), await colony.started("polite")];
  assertEquals(await colony.ended(), 1);
  assertEquals([pids.filter(isAlive), namesIn(colony.pids), Deno.readTextFileSync(bye)], [[], [], "bye\n"]);
  assertEquals(colony.count(/ ERROR stopping: .*SIGXCPU/), 1);
});

Deno.test("a process under a monitor with little CPU time dies by SIGXCPU as any other process does", async () => {
  await using colony = new Colony({ wrap: BRIEF, config: { busy: { args: sh("while :; do :; done") } } });
  await colony.waitFor(/ busy: running -> .*SIGXCPU/);
  assertEquals(await colony.stop(), 0);
});

Deno.test("a reaper that has used up its CPU time asks its command to exit, and exits with the command's exit code", async () => {
  const script = 'ulimit -S -t unlimited; trap "exit 5" TERM; trap : USR2; echo $$; while kill -USR2 $PPID; do :; done';
  await using reaped = new Reaped(["sh", "-c", script], { wrap: BRIEF });
  const pid = await reaped.numberIn(/^(\d+)$/);
  assertEquals([await reaped.ended(), reaped.stderr], [5, []]);
  await gone(pid);
});
