/** The JSON lines of the real monitor have fields that tell what the history of a process tells. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { Colony, type ColonyOptions } from "./harness.ts";
import { lent, StatusColony } from "./status_files.ts";
import { gone, rested, sh } from "./tools.ts";

const JSON_LOG = ["--log-format", "json"];

const SLEEP = { args: ["sleep", "1000"] };

/** Ignores SIGTERM. */
const STUBBORN = {
  args: sh("trap '' TERM; echo ready; while :; do sleep 0.05; done"),
  "ncolony.monitor": { kill_time: 0.3 },
};

/** A line of the log, without its time and level. */
interface Line {
  readonly process: string | null;
  readonly message: string;
  /** The fields that not every line has, in order. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Returns the monitor's own lines so far, without those of its processes. */
function linesOf(colony: Colony): Line[] {
  return colony.stderr.lines.map((line) => JSON.parse(line)).filter(({ stream }) => stream === null).map((parsed) => {
    const { time: _time, level: _level, stream: _stream, process, message, ...fields } = parsed;
    return { process, message, fields };
  });
}

/** Returns the fields of the lines about a process that have any. */
function fieldsOf(colony: Colony, name: string): Record<string, unknown>[] {
  return linesOf(colony).filter(({ process, fields }) => process === name && Object.keys(fields).length > 0).map((
    { fields },
  ) => fields);
}

/** Waits until so many lines about a process have fields, and returns these. */
async function told(colony: Colony, name: string, count: number): Promise<Record<string, unknown>[]> {
  return await colony.until(`${count} lines with fields about ${name}`, () => {
    const fields = fieldsOf(colony, name);
    return fields.length >= count && fields.slice(0, count);
  });
}

/** Waits for a line about no process. Returns its fields. */
async function messageLine(colony: Colony, pattern: RegExp): Promise<Line["fields"]> {
  const line = await colony.until(`${pattern}`, () => {
    return linesOf(colony).find(({ process, message }) => process === null && pattern.test(message));
  });
  return line.fields;
}

/** Waits until the history of a process has as many events as its lines, and compares them. */
async function assertSameStory(colony: Colony, name: string): Promise<void> {
  if (!(colony instanceof StatusColony)) return;
  const logged = fieldsOf(colony, name).map(({ event }) => event).filter(Boolean).join(" ");
  await colony.until("the history is written", () => colony.story(name).length >= logged.length);
  assertEquals(colony.story(name).slice(0, logged.length), logged);
}

const KINDS: Readonly<Record<string, new (options: ColonyOptions) => Colony>> = {
  "with --status": StatusColony,
  "without --status": Colony,
};

for (const [how, Kind] of Object.entries(KINDS)) {
  Deno.test(`JSON lines tell in fields that a process crashes again and again, ${how}`, async () => {
    const args = [...JSON_LOG, "-t", "1e6", "-m", "1e6", "-M", "1e6"];
    await using colony = new Kind({ args, config: { web: { args: sh("exit 3") } } });
    const life = (incarnation: number, origin: object) => [
      { event: "started", state: "running", incarnation, ...origin },
      { event: "exited", state: "stopping", incarnation, exit_code: 3 },
      { event: "waiting", state: "waiting", incarnation },
    ];
    assertEquals(await told(colony, "web", 3), life(1, {}));
    colony.send({ type: "RESTART", name: "web", from: "me" });
    assertEquals((await told(colony, "web", 6)).slice(3), life(2, { from: "me" }));
    await assertSameStory(colony, "web");
  });

  Deno.test(`JSON lines tell in fields why a command cannot be started, ${how}`, async () => {
    const config = { web: { args: ["/no/such/command"] } };
    await using colony = new Kind({ args: [...JSON_LOG, "-m", "2"], config });
    const [exited, waiting, again] = await told(colony, "web", 3);
    const { exit_reason, ...others } = exited!;
    assertEquals(others, { event: "exited", state: "waiting", incarnation: 1 });
    assertMatch(`${exit_reason}`, /no such file or directory/);
    assertEquals(waiting, { event: "waiting", state: "waiting", incarnation: 1 });
    assertEquals([again!.event, again!.incarnation], ["exited", 2]);
    await assertSameStory(colony, "web");
  });

  Deno.test(`JSON lines tell in fields that a process was killed, removed or disabled, ${how}`, async () => {
    const config = { web: STUBBORN, db: SLEEP };
    await using colony = new Kind({ args: JSON_LOG, config });
    await colony.waitFor(/"ready"/);
    await colony.started("db");
    colony.remove("web");
    assertEquals(await told(colony, "web", 5), [
      { event: "started", state: "running", incarnation: 1 },
      { event: "stop-requested", state: "stopping", incarnation: 1 },
      { event: "killed", state: "killing", incarnation: 1 },
      { event: "exited", state: "killing", incarnation: 1, signal: "SIGKILL" },
      { event: "removed", state: "removed", incarnation: 1 },
    ]);
    await assertSameStory(colony, "web");
    colony.put("db", { ...SLEEP, "ncolony.monitor": { enabled: false } });
    assertEquals((await told(colony, "db", 4)).slice(1), [
      { event: "stop-requested", state: "stopping", incarnation: 1 },
      { event: "exited", state: "stopping", incarnation: 1, signal: "SIGTERM" },
      { event: "disabled", state: "disabled", incarnation: 1 },
    ]);
    await assertSameStory(colony, "db");
    await rested();
    colony.put("db", SLEEP);
    assertEquals((await told(colony, "db", 5)).at(-1), { event: "started", state: "running", incarnation: 2 });
  });

  Deno.test(`JSON lines tell in fields who asked for a restart, and why, ${how}`, async () => {
    await using colony = new Kind({ args: JSON_LOG, config: { web: SLEEP } });
    await colony.started("web");
    await rested();
    const origin = { from: "httpcheck", reason: "3 bad answers" };
    colony.send({ type: "RESTART", name: "web", incarnation: 1, ...origin });
    assertEquals((await told(colony, "web", 4)).slice(1), [
      { event: "stop-requested", state: "stopping", incarnation: 1, ...origin },
      { event: "exited", state: "stopping", incarnation: 1, signal: "SIGTERM" },
      { event: "started", state: "running", incarnation: 2, ...origin },
    ]);
    assertEquals(await messageLine(colony, /RESTART "web" \(httpcheck: 3 bad answers\)$/), origin);
    await assertSameStory(colony, "web");
    colony.send({ type: "RESTART", name: "web", incarnation: 1, ...origin, reason: "late" });
    const ignored = await told(colony, "web", 5);
    assertEquals(ignored.at(-1), { state: "running", incarnation: 2, from: "httpcheck", reason: "late" });
    const late = linesOf(colony).find(({ process, fields }) => process === "web" && fields.reason === "late");
    assertMatch(late!.message, /^web: ignored a restart meant for start 1, which has ended$/);
    assertEquals(await colony.stop(), 0);
    assertEquals(fieldsOf(colony, "web").slice(5), [
      { event: "stop-requested", state: "stopping", incarnation: 2 },
      { event: "exited", state: "stopping", incarnation: 2, signal: "SIGTERM" },
      { state: "stopped", incarnation: 2 },
    ]);
  });
}

Deno.test("JSON lines tell in fields that ctl asked for a restart, also of a command that cannot be started", async () => {
  await using colony = new Colony({ args: JSON_LOG, config: { web: SLEEP, missing: { args: ["/no/such/command"] } } });
  await colony.started("web");
  await rested();
  assertEquals((await colony.ctl("restart", "web")).code, 0);
  const [, asked, , started] = await told(colony, "web", 4);
  assertEquals(asked, { event: "stop-requested", state: "stopping", incarnation: 1, from: "ctl" });
  assertEquals(started, { event: "started", state: "running", incarnation: 2, from: "ctl" });
  assertEquals(await messageLine(colony, /RESTART "web" \(ctl\)$/), { from: "ctl" });
  await told(colony, "missing", 2);
  colony.send({ type: "RESTART", name: "missing", from: "me", reason: "it is there now" });
  const failed = await colony.until("the failed start that was asked for", () => {
    return fieldsOf(colony, "missing").find(({ from }) => from !== undefined);
  });
  const { exit_reason, incarnation: _, ...others } = failed;
  assertEquals(others, { event: "exited", state: "waiting", from: "me", reason: "it is there now" });
  assertMatch(`${exit_reason}`, /no such file or directory/);
});

Deno.test("JSON lines about messages that ask for nothing tell in fields who sent them, and why", async () => {
  await using colony = new Colony({ args: JSON_LOG });
  const origin = { from: "me", reason: "for a test" };
  colony.send({ type: "RESTART", name: "nobody", ...origin });
  assertEquals(await messageLine(colony, /no such process is configured$/), origin);
  colony.send({ type: "RESTART", ...origin });
  assertEquals(await messageLine(colony, /is invalid and was moved to .rejected: "name" must be /), origin);
  colony.send("{");
  assertEquals(await messageLine(colony, /is invalid and was moved to .rejected: invalid JSON/), {});
  colony.send({ type: "RESTART-ALL" });
  assertEquals(await messageLine(colony, /RESTART-ALL: no such process is configured$/), {});
});

Deno.test("JSON lines tell in fields that a config is invalid, and that it is valid again", async () => {
  await using colony = new StatusColony({ args: JSON_LOG, config: { web: SLEEP } });
  await colony.started("web");
  colony.put("web", "{");
  assertEquals((await told(colony, "web", 2)).at(-1), { event: "problem" });
  colony.put("web", SLEEP);
  assertEquals((await told(colony, "web", 3)).at(-1), { event: "problem-gone" });
  await assertSameStory(colony, "web");
});

Deno.test("JSON lines go on counting the starts of earlier monitors with --status, and tell what those left", async () => {
  using dir = tempDir();
  const place = lent(dir);
  const pids = ["--pid", dir.file("pids")];
  const config = { web: SLEEP };
  let left: number;
  {
    await using first = new StatusColony({ args: [...JSON_LOG, ...pids], config }, place);
    left = await first.started("web");
    await first.inState("web", "running");
    first.process.kill("SIGKILL");
    await first.process.status;
    // Only now is there a second monitor. The first one's harness would end the process.
    await using second = new StatusColony({ args: [...JSON_LOG, ...pids], config }, place);
    assertEquals(await told(second, "web", 3), [
      { event: "stop-requested", state: "stopping", incarnation: 1 },
      { event: "exited", state: "stopping", incarnation: 1, exit_reason: "started by a previous monitor" },
      { event: "started", state: "running", incarnation: 2 },
    ]);
  }
  await gone(left);
});

Deno.test("a hostile message cannot end a JSON line, begin another one or replace its fields", async () => {
  await using colony = new Colony({ args: JSON_LOG, config: { web: SLEEP } });
  await colony.started("web");
  const from = 'x","level":"ERROR"}\n{"event":"removed","process":"db';
  const reason = `\u001b[2J\r\n\0\u2028\u202e\u{e0001}\ud800 é😀${"\n".repeat(300)}`;
  colony.send({ type: "RESTART", name: "web", from, reason, time: "never", event: "removed", state: "removed" });
  const [, asked] = await told(colony, "web", 4);
  const kept = [...reason].slice(0, 200).join("");
  assertEquals(asked, { event: "stop-requested", state: "stopping", incarnation: 1, from, reason: kept });
  for (const line of colony.stderr.lines) {
    assertEquals(typeof JSON.parse(line).time, "string");
    assertEquals(/[\p{C}\p{Zl}\p{Zp}]/u.test(line), false, line);
  }
  assertStringIncludes(colony.stderr.lines.find((line) => line.includes("stop-requested"))!, "\\u001b[2J\\r\\n\\u0000");
});

Deno.test("without --status, the monitor forgets a process that was removed", async () => {
  await using colony = new Colony({ args: JSON_LOG, config: { web: SLEEP } });
  await colony.started("web");
  colony.remove("web");
  await colony.until("it is removed", () => fieldsOf(colony, "web").find(({ event }) => event === "removed"));
  colony.put("web", SLEEP);
  await colony.started("web", 2);
  assertEquals(fieldsOf(colony, "web").at(-1), { event: "started", state: "running", incarnation: 1 });
});
