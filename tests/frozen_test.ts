/** Only code that the lock file pins may run. */

import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import manifest from "../deno.json" with { type: "json" };
import { namesIn, ROOT } from "./cli/tools.ts";

/** Returns the Deno commands of a shell script that could add to the lock file: not fmt, lint and task. */
function unfrozen(text: string): string[] {
  const commands = text.replaceAll(/^ *#.*$/gm, "").matchAll(
    /\bdeno (?!fmt\b|lint\b|task\b)([a-z]+)\b(?! --frozen(?:\s|$))[^&\n]*/gm,
  );
  return [...commands].map(([command]) => command);
}

/** Returns the Deno commands of a tool that could add to the lock file. */
function unfrozenCalls(code: string): string[] {
  const calls = code.matchAll(/"(?:run|test|check|bundle|compile|cache|publish|install|eval)"(?!, "--frozen").*/g);
  return [...calls].map(([call]) => call);
}

Deno.test("deno.json freezes the lock file, because `deno task` itself would add to it", () => {
  assertEquals(manifest.lock, { frozen: true });
});

Deno.test("every task, workflow and image runs Deno with --frozen", () => {
  assertEquals(unfrozen("deno fmt && deno run --frozen x.ts && deno task y"), []);
  assertEquals(unfrozen("deno task y && deno run x.ts"), ["deno run x.ts"]);
  assertEquals(unfrozen("deno run --frozen=false x.ts"), ["deno run --frozen=false x.ts"]);
  for (const [name, task] of Object.entries(manifest.tasks)) {
    assertEquals([name, unfrozen(typeof task === "string" ? task : task.command)], [name, []]);
  }
  const workflows = namesIn(join(ROOT, ".github", "workflows")).map((name) => join(".github", "workflows", name));
  for (const path of [...workflows, ".ci/run", "deploy/Dockerfile"]) {
    assertEquals([path, unfrozen(Deno.readTextFileSync(join(ROOT, path)))], [path, []]);
  }
});

Deno.test("the tools run Deno with --frozen", () => {
  const exceptions: Record<string, string[]> = {
    // It uses no config and no lock file, but --no-remote and --no-npm.
    "compile.ts": ['"compile", "--quiet", ...alone, "--no-prompt", V8_FLAGS, ...permissions, ...platform, ...output];'],
    // It needs the newest packages on JSR.
    "test_jsr.ts": ['"install", "--frozen=false") || run("task", "test");'],
  };
  for (const name of namesIn(join(ROOT, "tools")).filter((name) => name.endsWith(".ts"))) {
    const code = Deno.readTextFileSync(join(ROOT, "tools", name));
    assertEquals([name, unfrozenCalls(code)], [name, exceptions[name] ?? []]);
  }
});

Deno.test("the image is built on exact versions, and only from the repository", () => {
  const lines = Deno.readTextFileSync(join(ROOT, "deploy", "Dockerfile")).split("\n");
  const exact = /^FROM denoland\/deno:(distroless-)?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?( AS \w+)?$/;
  assertEquals(lines.filter((line) => line.startsWith("FROM ") && !exact.test(line)), []);
  const fetching = /^ADD|\b(?:jsr|npm|https?):|\b(?:curl|wget|npx|apt-get)\b/;
  assertEquals(lines.filter((line) => !line.startsWith("#") && fetching.test(line)), []);
});
