import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { hasCommand, IS_ROOT, ROOT, run } from "../cli/tools.ts";

const KILLS = 15;

/** Gives the program its own disk if possible, which is sometimes full. */
const wrap = IS_ROOT && hasCommand("unshare") && (await run(["unshare", "--mount", "true"])).code === 0
  ? ["unshare", "--mount", "--propagation", "private"]
  : [];

Deno.test({
  name:
    "a monitor that is killed again and again never runs two processes of one name, and runs all in the end (skipped without flock)",
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
