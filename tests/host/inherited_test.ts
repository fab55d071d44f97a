import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { HEEDING, ROOT, run, sh } from "../cli/tools.ts";
import { tempDir } from "../helpers.ts";

/** Returns what inherited() reports in a program that is started with these words, and asks a shell. */
async function inheritedBy(...wrap: string[]): Promise<unknown> {
  using dir = tempDir();
  const script = dir.write(
    "ask.ts",
    `import { inherited } from "${join(ROOT, "host/program/inherited.ts")}";
    const { isIgnored, isBlocked, isNonBlocking } = inherited();
    console.log(JSON.stringify([isIgnored("SIGHUP"), isIgnored("SIGTERM"), isBlocked("SIGTERM"), isNonBlocking(1)]));`,
  );
  const words = [Deno.execPath(), "run", "--no-prompt", "--config", join(ROOT, "deno.json"), "--allow-run", script];
  const { stdout, stderr } = await run([...HEEDING, ...wrap, ...words]);
  return JSON.parse(stdout || `"${stderr}"`);
}

Deno.test("inherited() learns from a shell which signals are ignored or blocked, and whether stdout blocks", async () => {
  assertEquals(await inheritedBy(), [false, false, false, false]);
  assertEquals(await inheritedBy(...sh('trap "" HUP; exec "$@"'), "sh"), [true, false, false, false]);
});

const UNSHARE = ["unshare", "--pid", "--fork", "--kill-child"];
const canUnshare = (await run([...UNSHARE, "true"]).catch(() => ({ code: 1 }))).code === 0;

Deno.test({
  name: "inherited() takes no other process in a foreign /proc for this program",
  ignore: !canUnshare,
  fn: async () => {
    // In that /proc, these pids are kernel threads, which ignore all signals.
    const wrap = [...UNSHARE, ...sh('"$@"; exit $?'), "sh"];
    assertEquals(await inheritedBy(...wrap), [false, false, false, false]);
    const ignoring = [...UNSHARE, ...sh('trap "" HUP; "$@"; exit $?'), "sh"];
    assertEquals(await inheritedBy(...ignoring), [true, false, false, false]);
  },
});
