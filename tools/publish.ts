/**
 * Publishes every package to JSR: the members in the order in which they depend on each other, then the root.
 * `--dry-run` only tries; it and all other options are passed to `deno publish`.
 *
 * All happens in a copy. The named root of a workspace hides its members from `deno publish` at the root, and a link to
 * a folder inside a package counts as a part of the package that was left out: so a dry run links to the folders from
 * outside the copy, and a real one has no links at all.
 */

import { basename, dirname, fromFileUrl, join, relative } from "@std/path";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const config = JSON.parse(Deno.readTextFileSync(join(root, "deno.json")));
/** In the order in which they depend on each other, as the workspace lists them. */
const members: string[] = config.workspace.map((path: string) => basename(path));
const isDryRun = Deno.args.includes("--dry-run");
const copy = Deno.makeTempDirSync({ prefix: "ncolony-publish-" });
let code = 0;
try {
  copyPackages();
  for (const member of [...members, "."]) {
    code = publish(join(copy, member));
    if (code !== 0) break;
  }
} finally {
  Deno.removeSync(copy, { recursive: true });
}
Deno.exit(code);

function copyPackages(): void {
  const links: string[] = config.links;
  config.links = isDryRun ? links.map((link) => relative(copy, join(root, link))) : undefined;
  for (const path of [...config.publish.include, ...members]) copyTree(path);
  Deno.writeTextFileSync(join(copy, "deno.json"), JSON.stringify(config, null, 2));
}

function copyTree(path: string): void {
  if (Deno.statSync(join(root, path)).isFile) return Deno.copyFileSync(join(root, path), join(copy, path));
  Deno.mkdirSync(join(copy, path));
  for (const { name } of Deno.readDirSync(join(root, path))) copyTree(join(path, name));
}

function publish(cwd: string): number {
  const args = ["publish", "--allow-dirty", "--quiet", ...Deno.args];
  return new Deno.Command(Deno.execPath(), { args, cwd, stdin: "inherit", stdout: "inherit", stderr: "inherit" })
    .outputSync().code;
}
