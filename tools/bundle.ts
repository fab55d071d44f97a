/**
 * Bundles each tool into a single-file script, `dist/ncolony-TOOL.js`, and all tools into `dist/ncolony.js`. The
 * scripts need no network and no cache, and their first line holds the permissions that they need. `--output DIR`
 * writes them to another directory. Given names of tools, such as `monitor reaper`, it bundles only those.
 */

import { parseArgs } from "@std/cli/parse-args";
import { ensureDirSync } from "@std/fs/ensure-dir";
import { dirname, fromFileUrl, join } from "@std/path";
import { PERMISSIONS, TOOLS, UMBRELLA_PERMISSIONS, V8_FLAGS } from "./permissions.ts";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const { output: dist = join(root, "dist"), _: names } = parseArgs(Deno.args, { string: ["output", "_"] }) as {
  output?: string;
  _: string[];
};
const unknown = names.find((name) => !TOOLS.some((tool) => tool === name));
if (unknown !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`no such tool: ${unknown} (tools: ${TOOLS.join(", ")})\n`));
  Deno.exit(2);
}

ensureDirSync(dist);
for (const tool of TOOLS) {
  if (names.length === 0 || names.includes(tool)) bundle(`ncolony-${tool}`, `${tool}/mod.ts`, PERMISSIONS[tool]);
}
if (names.length === 0) bundle("ncolony", "mod.ts", UMBRELLA_PERMISSIONS);

function bundle(name: string, module: string, permissions: readonly string[]): void {
  const script = join(dist, `${name}.js`);
  const args = ["bundle", "--frozen", "--quiet", "--platform", "deno", "--output", script, join(root, module)];
  const { code } = new Deno.Command(Deno.execPath(), { args, cwd: root, stdout: "inherit", stderr: "inherit" })
    .outputSync();
  if (code !== 0) Deno.exit(code);
  const flags = ["--no-config", "--no-remote", "--no-npm", V8_FLAGS, ...permissions].join(" ");
  Deno.writeTextFileSync(script, `#!/usr/bin/env -S deno run ${flags}\n${Deno.readTextFileSync(script)}`);
  Deno.chmodSync(script, 0o755);
}
