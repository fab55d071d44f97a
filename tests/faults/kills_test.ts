import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { hasCommand, IS_ROOT, ROOT, run } from "../cli/tools.ts";

const KILLS = 15;

/** With a disk of its own where that can be, which is full now and then. */
const wrap = IS_ROOT && hasCommand("unshare") && (await run(["unshare", "--mount", "true"])).code === 0
  ? ["unshare", "--mount", "--propagation", "private"]
  : [];

Deno.test({
  name:
    "however often a monitor is killed, two of one name are never alive, and in the end all runs (skipped without flock)",
  ignore: !hasCommand("flock"),
  fn: async () => {
    const program = join(ROOT, "tests", "faults", "kills.ts");
    const { code, stdout, stderr } = await new Deno.Command("env", {
      args: [...wrap, Deno.execPath(), "run", "--frozen", "--quiet", "-A", program, "--kills", `${KILLS}`],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = new TextDecoder();
    assertEquals([code, text.decode(stderr)], [0, ""], text.decode(stdout));
  },
});
