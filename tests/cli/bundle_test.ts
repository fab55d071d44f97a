import { assertEquals, assertMatch, assertStringIncludes, fail } from "@std/assert";
import { join } from "@std/path";
import manifest from "../../deno.json" with { type: "json" };
import { PERMISSIONS, TOOLS, UMBRELLA_PERMISSIONS, V8_FLAGS } from "../../tools/permissions.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { namesIn, type Result, ROOT, signalIfThere, TIMEOUT_MS } from "./tools.ts";

/** Runs a command in an empty directory, with an empty cache and no network to fill it. */
async function runBare(dir: TempDir, command: string, args: readonly string[]): Promise<Result> {
  const env = {
    PATH: Deno.env.get("PATH")!,
    DENO_DIR: dir.dir("cache"),
    HOME: dir.path,
    HTTPS_PROXY: "http://127.0.0.1:9",
  };
  const options = { args: [...args], env, clearEnv: true, cwd: dir.dir("empty") };
  const { code, stdout, stderr } = await new Deno.Command(command, options).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

async function make(tool: "bundle" | "compile", output: string, env: Record<string, string> = {}): Promise<Result> {
  const permissions = ["--allow-read", "--allow-write", "--allow-run"];
  const args = ["run", "--frozen", ...permissions, join(ROOT, "tools", `${tool}.ts`), "--output", output];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Checks that a run, even one as short as ctl's, leaves compiled code for the next. A few are over too soon. */
async function assertKept(dir: TempDir, script: string, args: readonly string[]): Promise<void> {
  const words = ["run", "--no-config", "--log-level=debug", ...UMBRELLA_PERMISSIONS, script, ...args];
  for (let start = 0; start < 20; start++) {
    const { stderr } = await runBare(dir, Deno.execPath(), words);
    if (stderr.includes(`V8 code cache hit for ES module: file://${script}`)) return;
  }
  fail(`Deno compiles ${script} at each start`);
}

Deno.test("each tool's bundle starts alone, without cache and network, and contains its permissions", async () => {
  using dir = tempDir();
  const dist = dir.dir("dist");
  assertEquals((await make("bundle", dist)).code, 0);
  assertEquals(namesIn(dist), ["ncolony.js", ...TOOLS.map((tool) => `ncolony-${tool}.js`)].sort());
  for (const tool of TOOLS) {
    const script = join(dist, `ncolony-${tool}.js`);
    const result = await runBare(dir, script, ["--version"]);
    assertEquals(result, { code: 0, stdout: `ncolony-${tool} ${manifest.version}\n`, stderr: "" });
    const [shebang] = Deno.readTextFileSync(script).split("\n", 1);
    assertStringIncludes(`${shebang} `, ` ${V8_FLAGS} ${PERMISSIONS[tool].join(" ")} `);
  }
  assertEquals(
    (await runBare(dir, join(dist, "ncolony.js"), ["ctl", "--version"])).stdout,
    `ncolony-ctl ${manifest.version}\n`,
  );

  await assertKept(dir, join(dist, "ncolony-ctl.js"), ["--version"]);
  await assertKept(dir, join(dist, "ncolony.js"), ["ctl", "--version"]);

  const link = dir.file("ncolony-reaper.js");
  Deno.symlinkSync(join(dist, "ncolony.js"), link);
  assertEquals((await runBare(dir, link, ["--version"])).stdout, `ncolony-reaper ${manifest.version}\n`);

  // Runs a colony from bundles only.
  const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages")];
  const added = await runBare(dir, join(dist, "ncolony-ctl.js"), [...places, "add", "web", "--cmd", "cat"]);
  assertEquals(added, { code: 0, stdout: "", stderr: "" });
  const env = { DENO_DIR: dir.dir("cache") };
  const pids = dir.file("pids");
  const args = [...places, "--pid", pids];
  const monitor = new Deno.Command(join(dist, "ncolony-monitor.js"), { args, env, stdout: "null", stderr: "null" })
    .spawn();
  const timer = setTimeout(() => signalIfThere(monitor.pid, "SIGKILL"), 2 * TIMEOUT_MS);
  try {
    await until("web runs", () => namesIn(dir.path).includes("pids") && namesIn(pids).includes("web"));
  } finally {
    signalIfThere(monitor.pid, "SIGTERM");
    assertEquals((await monitor.status).code, 0);
    clearTimeout(timer);
  }
});

Deno.test("tools/compile.ts makes binaries from denort, and reports a missing denort in one line", async () => {
  using dir = tempDir();
  const dist = dir.dir("dist");
  const missing = await make("compile", dist, { DENORT_BIN: dir.file("none") });
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertMatch(missing.stderr, /^Cannot get denort, .* DENORT_BIN\n$/);
  // Any executable will do to test all that happens before the binary is run.
  const made = await make("compile", dist, { DENORT_BIN: "/bin/sh" });
  assertEquals(made, { code: 0, stdout: "", stderr: "" });
  const binaries = namesIn(dist).filter((name) => !name.endsWith(".js"));
  assertEquals(binaries, ["ncolony", ...TOOLS.map((tool) => `ncolony-${tool}`)].sort());
});

Deno.test("each task in deno.json has the permissions of the table", () => {
  for (const tool of TOOLS) {
    assertEquals(manifest.tasks[tool].command, `deno run --frozen ${PERMISSIONS[tool].join(" ")} ${tool}/mod.ts`);
  }
});
