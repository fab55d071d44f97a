/**
 * Writes what the page of `ncolony-web` is made of to `web/assets.ts`: the files of `web/page/`, and its libraries from
 * npm. JSR does not accept packages that import text.
 */

import { createRequire } from "node:module";
import { dirname, fromFileUrl, join } from "@std/path";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const page = join(root, "web", "page");
const { resolve } = createRequire(import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

/** The files of libraries, by the names under which the page loads them. Their licenses are in `page/licenses.txt`. */
export const LIBRARIES: Readonly<Record<string, string>> = {
  "preact.js": join(packageOf("htm"), "preact", "standalone.module.js"),
  "uplot.css": join(packageOf("uplot"), "dist", "uPlot.min.css"),
  "uplot.js": join(packageOf("uplot"), "dist", "uPlot.iife.min.js"),
};

/** The path of what this writes. */
export const ASSETS_FILE: string = join(root, "web", "assets.ts");

/** Returns the text of `web/assets.ts`. */
export async function assetsModule(): Promise<string> {
  const own = [...Deno.readDirSync(page)].map(({ name }): [string, string] => [name, join(page, name)]);
  const files = [...own, ...Object.entries(LIBRARIES)].sort(([a], [b]) => a < b ? -1 : 1);
  const texts = files.map(([, path]) => Deno.readTextFileSync(path));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(texts.join("\0")));
  const path = `/assets/${new Uint8Array(digest).toHex().slice(0, 16)}/`;
  const entries = files.map(([name], at) =>
    `  ${JSON.stringify(name)}: {
    type: ${JSON.stringify(TYPES[name.slice(name.lastIndexOf("."))])},
    text:
      ${JSON.stringify(texts[at]!.replaceAll("{assets}", path))},
  },
`
  );
  return `// Written by tools/assets.ts: \`deno task assets\`.
// deno-fmt-ignore-file

/** A file that the page loads. */
export interface Asset {
  /** Its media type. */
  readonly type: string;
  /** Its content. */
  readonly text: string;
}

/** The path below which they are served. With other contents it is another one, so that browsers can keep them. */
export const ASSETS_PATH = ${JSON.stringify(path)};

/** The files of the page and of its libraries, by their names. */
export const ASSETS = {
${entries.join("")}} as const satisfies Readonly<Record<string, Asset>>;
`;
}

function packageOf(name: string): string {
  return dirname(dirname(resolve(name)));
}

if (import.meta.main) Deno.writeTextFileSync(ASSETS_FILE, await assetsModule());
