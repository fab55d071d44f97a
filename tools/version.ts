/** Sets the version of all packages: `deno task version X.Y.Z`. */

import { dirname, fromFileUrl, join } from "@std/path";

const SEMANTIC = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

const [version = "", root = dirname(dirname(fromFileUrl(import.meta.url)))] = Deno.args;
if (!SEMANTIC.test(version)) {
  Deno.stderr.writeSync(new TextEncoder().encode("usage: deno task version X.Y.Z\n"));
  Deno.exit(2);
}
const { workspace } = JSON.parse(Deno.readTextFileSync(join(root, "deno.json")));
for (const folder of [".", ...workspace]) {
  const path = join(root, folder, "deno.json");
  // Edit the text, not the parsed JSON, so that its format stays.
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(path, text.replace(/^( {2}"version": )"[^"]*"/m, `$1${JSON.stringify(version)}`));
}
