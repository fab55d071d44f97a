/**
 * Publishes every package to JSR, each after the packages that it imports. `--dry-run` publishes nothing. All options
 * are passed to `deno publish`.
 *
 * A real publish uses only code that the repository pins:
 * - It keeps the links to tools/std, so it downloads no package from JSR. The links do not change what is uploaded:
 *   import specifiers get the version ranges of deno.json (`jsr:@std/path@^1.1.2`), never a resolved version.
 * - npm packages come from deno.lock, by version and digest. `deno publish` reads the lock file, but resolves packages
 *   that are not in it, even with `--frozen`. So `deno cache --frozen` runs first, and fails if the lock file lacks a
 *   package.
 *
 * `deno publish` does not find the members of a workspace whose root has a name. So all of this happens in a copy,
 * whose root has no name, and in which the umbrella is a member like the others.
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
