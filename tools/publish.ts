/**
 * Publishes every package to JSR, each after those that it imports. `--dry-run` only tries; it and all other options are
 * passed to `deno publish`.
 *
 * A real publish uses nothing that the repository does not pin:
 * - It has the links to tools/std, so it takes no package from JSR. What is uploaded is the same without them: specifiers
 *   are written with the ranges of deno.json (`jsr:@std/path@^1.1.2`), never with the version that was found.
 * - Packages of npm are those of deno.lock, by version and digest. `deno publish` reads the lock file, but resolves what
 *   is not in it, even with `--frozen`; so `deno cache --frozen` first refuses whatever the lock file lacks.
 *
 * `deno publish` does not find the members of a workspace whose root has a name. So all this happens in a copy, whose
 * root has none, and in which the umbrella is a member like the others.
 */

import { copySync } from "@std/fs/copy";
import { ensureDirSync } from "@std/fs/ensure-dir";
import { dirname, fromFileUrl, join } from "@std/path";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const config = JSON.parse(Deno.readTextFileSync(join(root, "deno.json")));
const copy = Deno.makeTempDirSync({ prefix: "ncolony-publish-" });
let code: number;
try {
  copyPackages();
  code = run("cache", "--frozen", "--quiet", ".") ||
    run("publish", "--frozen", "--quiet", "--allow-dirty", ...Deno.args);
} finally {
  Deno.removeSync(copy, { recursive: true });
}
Deno.exit(code);

function copyPackages(): void {
  const { name, version, description, license, exports, publish, workspace, links, imports, compilerOptions } = config;
  for (const path of [...workspace, ...links, "deno.lock"]) copyInto(path, path);
  for (const path of publish.include) copyInto(path, join("ncolony", path));
  writeJson("ncolony/deno.json", { name, version, description, license, exports });
  writeJson("deno.json", { workspace: [...workspace, "./ncolony"], links, imports, compilerOptions });
}

function copyInto(from: string, to: string): void {
  ensureDirSync(dirname(join(copy, to)));
  copySync(join(root, from), join(copy, to));
}

function writeJson(path: string, value: unknown): void {
  Deno.writeTextFileSync(join(copy, path), JSON.stringify(value, null, 2));
}

function run(...args: string[]): number {
  return new Deno.Command(Deno.execPath(), { args, cwd: copy, stdin: "inherit", stdout: "inherit", stderr: "inherit" })
    .outputSync().code;
}
