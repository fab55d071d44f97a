/**
 * Runs the tests against the real packages on JSR: the same project, without the links to tools/std. It needs access to
 * JSR, or a mirror in `JSR_URL`. The lock file does not pin what this downloads and runs, so do not run it where there
 * are secrets.
 */

import { copySync } from "@std/fs/copy";
import { dirname, fromFileUrl, join } from "@std/path";

/** The names in the project directory that are not copied. */
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
  // The lock file has the links and no JSR packages. The copy gets a new one, with the newest version of everything.
  Deno.removeSync(join(copy, "deno.lock"));
  code = run("install", "--frozen=false") || run("task", "test");
} finally {
  Deno.removeSync(copy, { recursive: true });
}
Deno.exit(code);

function run(...args: string[]): number {
  return new Deno.Command(Deno.execPath(), { args, cwd: copy, stdout: "inherit", stderr: "inherit" }).outputSync().code;
}
