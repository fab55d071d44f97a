/** Each command of ctl needs exactly the permissions that its table lists. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { COMMANDS } from "../../ctl/commands.ts";
import { CTL_PERMISSIONS, type CtlPath } from "../../tools/permissions.ts";
import { StatusColony } from "./status_files.ts";
import { namesIn, type Result, ROOT, run, toolCommand } from "./tools.ts";

/** What may be read and written. */
interface Granted {
  readonly read: readonly CtlPath[];
  readonly write: readonly CtlPath[];
}

const SLEEP = { args: ["sleep", "1000"], group: ["front"] };

/** The words of each command that needs more than its first word and a name. */
const WORDS: Readonly<Record<string, (name: string, colony: StatusColony) => readonly string[]>> = {
  add: (name) => ["add", name, "--cmd", "sleep", "--arg", "1001"],
  "add --extras FILE": (name, { dir }) => ["add", name, "--cmd", "x", "--extras", dir.file("extras")],
  patch: (name) => ["patch", name, '{"env": {"A": "1"}}'],
  "restart-all": () => ["restart-all"],
  "restart-group": () => ["restart-group", "front"],
  completions: () => ["completions", "bash"],
  logs: () => ["logs"],
  events: () => ["events"],
  check: () => ["check"],
  plan: (_, { config }) => ["plan", config],
  status: () => ["status"],
  metrics: () => ["metrics"],
  "metrics --output DIR/FILE": (name, { dir }) => ["metrics", "--output", dir.file("textfiles", `${name}.prom`)],
  "status --group": () => ["status", "--group", "front"],
};

/** Returns the path that a word of the table stands for. */
function pathOf({ config, messages, status, dir }: StatusColony, path: CtlPath): string {
  const [logs, extras, textfiles] = ["logs", "extras", "textfiles"].map((name) => dir.file(name)) as [
    string,
    string,
    string,
  ];
  return { CONFIG: config, MESSAGES: messages, STATUS: status, LOGS: logs, FILE: extras, DIR: textfiles }[path];
}

/** Runs a command with these permissions. */
async function ctl(colony: StatusColony, { read, write }: Granted, words: readonly string[]): Promise<Result> {
  const flags = Object.entries({ read, write }).filter(([, names]) => names.length > 0);
  const permissions = flags.map(([flag, names]) => `--allow-${flag}=${names.map((name) => pathOf(colony, name))}`);
  return await run([
    ...toolCommand("ctl/mod.ts", permissions),
    ...colony.places,
    "--status",
    colony.status,
    "--logs",
    colony.dir.file("logs"),
    ...words,
  ]);
}

/** Returns all that a command could change. */
function contents({ config, messages, dir }: StatusColony): readonly string[] {
  return [config, messages, dir.file("textfiles")].flatMap((path) =>
    namesIn(path).map((name) => Deno.readTextFileSync(join(path, name)))
  );
}

/** Checks that a command names a permission that it lacks in one line, and changes nothing. */
async function assertNeeds(
  colony: StatusColony,
  kind: keyof Granted,
  name: CtlPath,
  granted: Granted,
  words: readonly string[],
): Promise<void> {
  const before = contents(colony);
  const less = { ...granted, [kind]: granted[kind].filter((it) => it !== name) };
  const { code, stdout, stderr } = await ctl(colony, less, words);
  assertEquals([code, stdout], [1, ""], stderr);
  assertMatch(stderr, RegExp(`^ncolony-ctl: [^\\n]*--allow-${kind}[^\\n]*\\n$`));
  assertStringIncludes(stderr, pathOf(colony, name));
  assertEquals(contents(colony), before);
}

for (const [command, { read, write, check = [], wait }] of Object.entries(CTL_PERMISSIONS)) {
  Deno.test(`ctl ${command} needs no permission that its table does not list, and reports each that is missing`, async () => {
    const [first] = command.split(" ");
    const off = first === "start" ? { "ncolony.monitor": { enabled: false } } : {};
    await using colony = new StatusColony({ config: { web: { ...SLEEP, ...off }, db: { ...SLEEP, ...off } } });
    for (const name of ["web", "db"]) await colony.inState(name, first === "start" ? "disabled" : "running");
    for (const name of ["logs", "textfiles"]) colony.dir.dir(name);
    colony.dir.write("extras", '{"args": ["sleep", "1002"]}');
    const words = WORDS[command] ?? ((name) => [first!, name]);
    const work = words("web", colony);
    const all = { read: [...read, ...check], write };
    for (const name of read) await assertNeeds(colony, "read", name, all, work);
    for (const name of write) await assertNeeds(colony, "write", name, all, work);
    const { code, stderr } = await ctl(colony, { read, write }, work);
    assertEquals([code, stderr], [0, ""]);
    await colony.until("the messages are taken", () => namesIn(colony.messages).length === 0);
    if (wait === undefined) return;
    const waiting = [...words("db", colony), "--wait"];
    const more = { read: [...read, ...wait], write };
    for (const name of wait) await assertNeeds(colony, "read", name, more, waiting);
    assertEquals(await ctl(colony, more, waiting), { code: 0, stdout: "", stderr: "" });
  });

  if (check.length > 0) {
    Deno.test(`ctl ${command} does not check that there is such a process if it may not read the configs`, async () => {
      await using colony = new StatusColony({ config: {} });
      for (const [granted, code] of [[[...read, ...check], 4], [read, 0]] as const) {
        assertEquals((await ctl(colony, { read: granted, write }, [command, "nobody"])).code, code);
      }
    });
  }
}

Deno.test("the table has each command of ctl, and docs/ctl.md shows it", () => {
  const named = new Set(Object.keys(CTL_PERMISSIONS).map((command) => command.split(" ")[0]));
  assertEquals([...named], Object.keys(COMMANDS));
  const shown = (paths: readonly CtlPath[] = []) => paths.map((path) => `\`${path}\``).join(", ");
  const rows = Object.entries(CTL_PERMISSIONS).map(([command, { read, write, check, wait }]) => {
    return [`\`${command}\``, shown(read), shown(write), shown(check), shown(wait)];
  });
  const page = Deno.readTextFileSync(join(ROOT, "docs", "ctl.md"));
  const lines = page.slice(page.indexOf("\n## Permissions\n")).split("\n").filter((line) => line.startsWith("| `"));
  assertEquals(lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim())), rows);
});
