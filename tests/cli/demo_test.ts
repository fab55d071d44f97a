import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl } from "@std/path";
import { isAlive, until } from "../helpers.ts";

const cwd = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** Runs the README's demo. The lines grow while it runs. */
function startDemo(...args: string[]): { child: Deno.ChildProcess; lines: string[]; ended: Promise<unknown> } {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "demo", ...args],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      lines.push(...parts);
    }
  };
  return { child, lines, ended: Promise.all([collect(child.stdout), collect(child.stderr)]) };
}

function pidsIn(lines: readonly string[]): number[] {
  return lines.flatMap((line) => / pid (\d+)$/.exec(line)?.slice(1).map(Number) ?? []);
}

/** Ends a demo that still runs, which ends its monitor, and what that has left if it does not. */
async function endAll(child: Deno.ChildProcess, lines: readonly string[]): Promise<void> {
  if (isAlive(child.pid)) child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await child.status;
  clearTimeout(timer);
  for (const pid of pidsIn(lines)) if (isAlive(-pid)) Deno.kill(-pid, "SIGKILL");
}

Deno.test("the demo shows a colony, its printed commands work, and Ctrl-C stops it", async () => {
  const { child, lines, ended } = startDemo();
  try {
    const has = (part: string) => until(`the demo says ${part}`, () => lines.find((line) => line.includes(part)));
    await has("my-cat-program: gone -> running");
    await has("[web] listening on http://127.0.0.1:");
    await has("[crasher] ");
    await has("mistake: invalid config: ");
    const commands = lines.filter((line) => line.includes("npx -y deno@2.9.6"));
    assertEquals(commands.length, 5);
    for (const command of commands) {
      const shell = command.replace("npx -y deno@2.9.6", `'${Deno.execPath()}'`);
      const { code, stderr } = await new Deno.Command("sh", { args: ["-c", shell], cwd }).output();
      // One process has an invalid config.
      assertEquals(code, / status$/.test(command) ? 3 : 0, new TextDecoder().decode(stderr));
    }
    await has("web: running -> stopping (restart)");
    await has("clock: gone -> running");
    await has("clock: running -> stopping (unwanted)");
    child.kill("SIGINT");
    assertEquals((await child.status).code, 0);
    await ended;
    assertEquals(pidsIn(lines).filter((pid) => isAlive(pid)), []);
  } finally {
    await endAll(child, lines);
  }
});

Deno.test("the demo exits with 0 after --seconds", async () => {
  const { child, lines, ended } = startDemo("--seconds", "1");
  try {
    assertEquals((await child.status).code, 0);
    await ended;
    assert(lines.some((line) => line.includes("all processes have ended")));
  } finally {
    await endAll(child, lines);
  }
});

Deno.test("README.md shows what its first commands print", async () => {
  const args = ["task", "--quiet", "readme", "--check"];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
});
