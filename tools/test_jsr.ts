/**
 * Runs the tests against the real packages on JSR: the same project, without the links to tools/std. Wants a network that
 * reaches JSR, or `JSR_URL` naming a mirror. The lock file does not pin what this downloads and runs, so it must not be
 * run where anything secret is.
 */

import { dirname, fromFileUrl, join } from "@std/path";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const copy = Deno.makeTempDirSync({ prefix: "ncolony-jsr-" });
let code: number;
try {
  copyTree("");
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

function copyTree(path: string): void {
  for (const entry of Deno.readDirSync(join(root, path))) {
    const inner = join(path, entry.name);
    if (entry.isFile) Deno.copyFileSync(join(root, inner), join(copy, inner));
    else if (entry.isDirectory && ![".git", "node_modules", "dist"].includes(entry.name)) {
      Deno.mkdirSync(join(copy, inner));
      copyTree(inner);
    }
  }
}

function run(...args: string[]): number {
  return new Deno.Command(Deno.execPath(), { args, cwd: copy, stdout: "inherit", stderr: "inherit" }).outputSync().code;
}
