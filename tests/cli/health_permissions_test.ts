import { assertEquals, assertMatch } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { PERMISSIONS } from "../../tools/permissions.ts";
import { until } from "../helpers.ts";
import { Checker, Ground, silent, type Tool } from "./checkers.ts";
import { asked, Server } from "./servers.ts";
import { SUBREAPER } from "./reaping.ts";
import { Terminal, testOnTerminal } from "./terminal.ts";

/** A permission that a checker needs, and what it logs without it. */
interface Need {
  readonly flag: "read" | "write" | "env" | "net";
  readonly what: "config" | "messages" | "own heart" | "web heart" | "NCOLONY_CONFIG" | "NCOLONY_NAME" | "server";
  readonly says: RegExp;
  /** Whether the checker ends, goes on, or cannot ask for restarts. */
  readonly effect: "ends" | "goes on" | "asks for nothing";
}

const HEARTLESS = /ERROR no heartbeat: needs --allow-env=NCOLONY_CONFIG,NCOLONY_NAME$/;

const COMMON: readonly Need[] = [
  { flag: "read", what: "config", effect: "ends", says: /^ncolony-\w+: .*\/config": needs --allow-read$/ },
  { flag: "read", what: "messages", effect: "ends", says: /^ncolony-\w+: .*\/messages": needs --allow-read$/ },
  {
    flag: "read",
    what: "own heart",
    effect: "goes on",
    says: /ERROR cannot touch heartbeat file ".*": needs --allow-read$/,
  },
  {
    flag: "write",
    what: "own heart",
    effect: "goes on",
    says: /ERROR cannot touch heartbeat file ".*": needs --allow-write$/,
  },
  {
    flag: "write",
    what: "messages",
    effect: "asks for nothing",
    says: /ERROR cannot request restarts, because writing to .*messages failed: needs --allow-write$/,
  },
  { flag: "env", what: "NCOLONY_CONFIG", effect: "goes on", says: HEARTLESS },
  { flag: "env", what: "NCOLONY_NAME", effect: "goes on", says: HEARTLESS },
];

const NEEDS: Readonly<Record<Tool, readonly Need[]>> = {
  beatcheck: [...COMMON, {
    flag: "read",
    what: "web heart",
    effect: "asks for nothing",
    says: /ERROR web: cannot read heartbeat file ".*\/web heart": needs --allow-read$/,
  }],
  httpcheck: [...COMMON, {
    flag: "net",
    what: "server",
    effect: "asks for nothing",
    says: /ERROR web: cannot check over HTTP: needs --allow-net for the host of the URL$/,
  }],
};

/** Returns the flags that grant these needs and nothing else. */
function flagsFor(needs: readonly Need[], ground: Ground, server: Server): string[] {
  const scope = ({ flag, what }: Need) => {
    if (flag === "env") return what;
    return flag === "net" ? `127.0.0.1:${server.port}` : ground.dir.file(what);
  };
  return [...Map.groupBy(needs, ({ flag }) => flag)].map(([flag, needs]) =>
    `--allow-${flag}=${needs.map(scope).join()}`
  );
}

/** Starts a checker with these permissions. It has a restart to ask for, and a heart of its own. */
function start(tool: Tool, ground: Ground, server: Server, needs: readonly Need[]): Checker {
  const heart = { period: 0.1, grace: 0, status: ground.dir.file("web heart") };
  ground.put("web", { ...asked(server.url("/"), { maxBad: 0 }), ...silent(heart) });
  const own = JSON.stringify(silent({ ...heart, status: ground.dir.file("own heart") }));
  const env = { NCOLONY_CONFIG: own, NCOLONY_NAME: tool };
  return new Checker(tool, ground, { env, permissions: flagsFor(needs, ground, server) });
}

function hasBeaten(ground: Ground): boolean {
  try {
    return Deno.statSync(ground.dir.file("own heart")).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Resolves when the checker has scanned a few more times. */
async function looksOn(checker: Checker, ground: Ground): Promise<void> {
  for (let version = 1; version <= 3; version++) {
    ground.put("broken", `{${" ".repeat(version)}`);
    await checker.waitFor(/WARN broken: invalid config/, version);
  }
}

for (const tool of ["beatcheck", "httpcheck"] as const) {
  Deno.test(`${tool} needs no more than the permissions of this table`, async () => {
    await using server = new Server(() => new Response(null, { status: 500 }));
    using ground = new Ground();
    await using checker = start(tool, ground, server, NEEDS[tool]);
    await checker.asked("web");
    await until("its own heart beats", () => hasBeaten(ground));
    await looksOn(checker, ground);
    assertEquals(ground.requests(), ["web"]);
    assertEquals(checker.matching(/ERROR|allow-/), []);
    checker.process.kill("SIGTERM");
    assertEquals(await checker.ended(), 0);
  });

  for (const need of NEEDS[tool]) {
    const { flag, what, says, effect } = need;
    Deno.test(`${tool} without --allow-${flag} for ${what} reports that in one line, and ${effect}`, async () => {
      await using server = new Server(() => new Response(null, { status: 500 }));
      using ground = new Ground();
      await using checker = start(tool, ground, server, NEEDS[tool].filter((other) => other !== need));
      if (effect === "ends") {
        assertEquals(await checker.ended(), 1);
        assertEquals(checker.lines.length, 1, checker.lines.join("\n"));
        return assertMatch(checker.lines[0]!, says);
      }
      await checker.waitFor(says);
      await looksOn(checker, ground);
      assertEquals([checker.count(says), checker.count(/ERROR/)], [1, 1]);
      if (effect === "goes on") await checker.asked("web");
      else assertEquals([checker.timesAsked("web"), ground.requests()], [0, []]);
    });
  }
}

Deno.test("the tasks give each checker only these permissions, and none to run programs", () => {
  const flagsOf = (tool: Tool) => manifest.tasks[tool].command.match(/--allow-\S+/g);
  const env = "--allow-env=NCOLONY_COLONY,NCOLONY_CONFIG,NCOLONY_NAME";
  const [read, write] = ["--allow-read", "--allow-write"] as const;
  assertEquals(flagsOf("beatcheck"), [read, write, env]);
  assertEquals(flagsOf("httpcheck"), [read, write, "--allow-net", env]);
});

testOnTerminal(SUBREAPER, "beatcheck prompts for no permission, even in another user's directories", async () => {
  using ground = new Ground();
  ground.put("web", {
    args: ["true"],
    "ncolony.beatcheck": { period: 0.1, grace: 1, status: ground.dir.file("heart") },
  });
  for (const path of [ground.config, ground.messages]) if (Deno.uid() === 0) Deno.chownSync(path, 65534, 65534);
  const command = [Deno.execPath(), "run", "--quiet", "--frozen", ...PERMISSIONS.beatcheck, "beatcheck/mod.ts"];
  await using terminal = new Terminal([...command, ...ground.places, "--freq", "0.1"]);
  await terminal.waitFor("asked for a restart");
  assertEquals(terminal.count("Allow?"), 0);
  await terminal.type("\x03");
  assertEquals(await terminal.ended(), 0);
});
