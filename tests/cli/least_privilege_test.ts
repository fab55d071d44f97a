import { assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import manifest from "../../deno.json" with { type: "json" };
import { LEAST_PERMISSIONS, type Tool, TOOLS } from "../../tools/permissions.ts";
import { type TempDir, tempDir } from "../helpers.ts";
import { Program } from "./program.ts";
import { namesIn, place, ROOT, toolCommand } from "./tools.ts";

const DEAD = { args: ["true"], enabled: false };

/** A command line for each tool that uses all of its permissions, in a directory of its own. */
const USES: Readonly<Record<Tool, (dir: TempDir) => readonly string[]>> = {
  monitor: (dir) => {
    place(dir.file("config"), "web", JSON.stringify({ args: ["cat"], env_inherit: ["HOME"] }));
    return [...placesIn(dir), "--pid", dir.file("pids")];
  },
  ctl: (dir) => [...placesIn(dir), "add", "web", "--cmd", "cat"],
  beatcheck: (dir) => {
    const beat = { period: 0.01, grace: 0, status: dir.file("none") };
    place(dir.file("config"), "web", JSON.stringify({ ...DEAD, "ncolony.beatcheck": beat }));
    return [...placesIn(dir), "--freq", "0.05"];
  },
  httpcheck: (dir) => {
    const check = { url: "http://127.0.0.1:65535/", period: 0.05, timeout: 1, grace: 0, maxBad: 1 };
    place(dir.file("config"), "web", JSON.stringify({ ...DEAD, "ncolony.httpcheck": check }));
    return [...placesIn(dir), "--freq", "0.05"];
  },
  scheduler: () => ["--frequency", "0.1", "--timeout", "1", "--grace", "1", "--arg", "true"],
  notify: (dir) => {
    place(dir.dir("status"), ".events", "");
    const state = { version: 1, id: 1, unhealthy: ["httpcheck web"] };
    place(dir.dir("notify"), "notify", JSON.stringify(state));
    place(dir.dir("status/.httpcheck"), "web", JSON.stringify({ healthy: true, since: new Date().toISOString() }));
    return ["--colony", dir.path, "--on", "healthy", "--state", dir.file("notify", "notify"), "--arg", "true"];
  },
  reaper: () => ["true"],
  web: (dir) => ["--status", dir.dir("status"), "--listen", "127.0.0.1:0"],
};

/** The tools that exit by themselves. */
const BRIEF: readonly Tool[] = ["ctl", "reaper"];

function placesIn(dir: TempDir): string[] {
  return ["--config", dir.file("config"), "--messages", dir.file("messages")];
}

/** Starts a tool with these permissions and a heart. */
function start(tool: Tool, dir: TempDir, permissions: readonly string[]): Program {
  const heart = { "ncolony.beatcheck": { period: 1, grace: 3, status: dir.file("heart") } };
  const env = { NCOLONY_NAME: "it", NCOLONY_CONFIG: JSON.stringify(heart) };
  for (const name of ["config", "messages"]) dir.dir(name);
  return new Program([...toolCommand(`${tool}/mod.ts`, permissions), ...USES[tool](dir)], { env });
}

for (const tool of TOOLS) {
  Deno.test(`${tool} needs no permission that the table does not list`, async () => {
    using dir = tempDir();
    await using program = start(tool, dir, LEAST_PERMISSIONS[tool]);
    if (BRIEF.includes(tool)) assertEquals(await program.ended(), 0);
    else await program.waitFor(/asked for a restart|run \d: exit code 0|, pid \d+$|listening on http/);
    // The monitor logs at its start what it cannot do without all permissions.
    const known = /without --allow-all it cannot read \/proc|cgroups need --allow-all/g;
    const told = program.lines.map((line) => line.replaceAll(known, ""));
    assertEquals(told.filter((line) => line.includes("--allow-")), []);
  });

  for (const missing of LEAST_PERMISSIONS[tool]) {
    Deno.test(`${tool} without ${missing} reports the missing flag and its purpose in one line`, async () => {
      using dir = tempDir();
      await using program = start(tool, dir, LEAST_PERMISSIONS[tool].filter((flag) => flag !== missing));
      const [flag] = missing.split("=");
      await program.waitFor(new RegExp(`.{10}${flag}`));
      assertEquals(program.matching(/^\s+at |\bUncaught\b/), []);
    });
  }
}

/** Returns the paths of the pages that show how to run the tools. */
function guides(): string[] {
  const members = manifest.workspace.map((member) => join(ROOT, member, "README.md"));
  const docs = namesIn(join(ROOT, "docs")).filter((name) => name.endsWith(".md")).map((name) =>
    join(ROOT, "docs", name)
  );
  return [join(ROOT, "README.md"), ...members, ...docs];
}

Deno.test("the command lines of the guides have the flags of the table, possibly with narrower scopes", () => {
  for (const path of guides()) {
    const text = Deno.readTextFileSync(path).replaceAll("\\\n", " ");
    for (const [line, flags, tool] of text.matchAll(/deno run ((?:-[^ ]+ +)*)jsr:@ncolony\/(\w+)/g)) {
      if (
        !(tool! in LEAST_PERMISSIONS) || flags!.startsWith("-A") ||
        tool === "monitor" && flags!.trim() === "--allow-all"
      ) {
        continue;
      }
      const names = flags!.trim().split(/ +/).filter((flag) => flag.startsWith("--allow-")).map((flag) =>
        flag.split("=")[0]
      );
      const known = LEAST_PERMISSIONS[tool as Tool].map((flag) => flag.split("=")[0]);
      const place = `${dirname(path).slice(ROOT.length)}: ${line}`;
      assertEquals([place, names.filter((name) => !known.includes(name!))], [place, []]);
    }
  }
});
