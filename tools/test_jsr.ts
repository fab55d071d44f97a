/**
 * Runs the tests against the real packages on JSR: the same project, without the links to tools/std. Wants a network that
 * reaches JSR, or `JSR_URL` naming a mirror. The lock file does not pin what this downloads and runs, so it must not be
 * run where anything secret is.
 */

import { copySync } from "@std/fs/copy";
import { dirname, fromFileUrl, join } from "@std/path";

/** What the project does not consist of. */
const LEFT_OUT = [".git", "node_modules", "dist"];

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const copy = Deno.makeTempDirSync({ prefix: "ncolony-jsr-" });
let code: number;
try {
  const names = [...Deno.readDirSync(root)].map(({ name }) => name);
  for (const name of names.filter((name) => !LEFT_OUT.includes(name))) copySync(join(root, name), join(copy, name));
  const config = JSON.parse(Deno.readTextFileSync(join(root, "deno.json")));
  delete config.links;
  Deno.writeTextFileSync(join(copy, "deno.json"), `${JSON.stringify(config, null, 2)}\n`);
  // It has the links, and no package of JSR: this copy gets one of its own, with the newest of everything.
  Deno.removeSync(join(copy, "deno.lock"));
  code = run("cache", "--frozen=false", "mod.ts", "tests/") || run("task", "test");
} finally {
  Deno.removeSync(copy, { recursive: true });
}
Deno.exit(code);

function run(...args: string[]): number {
  return new Deno.Command(Deno.execPath(), { args, cwd: copy, stdout: "inherit", stderr: "inherit" }).outputSync().code;
}
