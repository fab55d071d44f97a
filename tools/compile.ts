/**
 * Compiles each tool into a binary, `dist/ncolony-TOOL`, with its permissions inside, and all tools into
 * `dist/ncolony`. `--target TRIPLE` compiles for another platform, `--output DIR` writes to another directory. Deno
 * builds binaries from `denort`, which it downloads unless the environment variable `DENORT_BIN` names a copy.
 */

import { parseArgs } from "@std/cli/parse-args";
import { dirname, fromFileUrl, join } from "@std/path";
import { PERMISSIONS, TOOLS, UMBRELLA_PERMISSIONS, V8_FLAGS } from "./permissions.ts";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const { target, output: dist = join(root, "dist") } = parseArgs(Deno.args, { string: ["target", "output"] }) as {
  target?: string;
  output?: string;
};

const bundling = new Deno.Command(Deno.execPath(), {
  args: ["run", "--frozen", "--allow-read", "--allow-write", "--allow-run", "tools/bundle.ts", "--output", dist],
  cwd: root,
  stdout: "inherit",
  stderr: "inherit",
}).outputSync();
if (!bundling.success) Deno.exit(bundling.code);
for (const tool of TOOLS) compile(`ncolony-${tool}`, PERMISSIONS[tool]);
compile("ncolony", UMBRELLA_PERMISSIONS);

/** Compiles a bundle, so that the binary contains only what the tool uses. */
function compile(name: string, permissions: readonly string[]): void {
  const platform = target === undefined ? [] : ["--target", target];
  const output = ["--output", join(dist, name)];
  // A bundle has no imports and needs no lock file.
  const alone = ["--no-config", "--no-remote", "--no-npm"];
  const args = ["compile", "--quiet", ...alone, "--no-prompt", V8_FLAGS, ...permissions, ...platform, ...output];
  const { code, stderr } = new Deno.Command(Deno.execPath(), { args: [...args, join(dist, `${name}.js`)] })
    .outputSync();
  if (code === 0) return;
  const reason = new TextDecoder().decode(stderr);
  const isMissing = /denort/.test(reason);
  const hint = "Cannot get denort, which Deno needs to build binaries: allow access to dl.deno.land, or set DENORT_BIN";
  Deno.stderr.writeSync(new TextEncoder().encode(isMissing ? `${hint}\n` : reason));
  Deno.exit(1);
}
