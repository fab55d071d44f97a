import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs/exists";
import { dirname, fromFileUrl, join } from "@std/path";
import { LEAST_PERMISSIONS, PERMISSIONS, TOOLS } from "../tools/permissions.ts";
import { runTool } from "./cli/tools.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const DOCS = join(ROOT, "docs");

/** The sections of each tool's page, in order. */
const SECTIONS = ["Interface", "Options", "Exit codes", "Files", "Signals", "Permissions", "Examples", "Notes"];

/** A code block, in which `#` begins no heading and `](` no link. */
const BLOCK = /^```[\s\S]*?^```$/gm;

/** Returns the text of a tool's page. */
function pageOf(tool: string): string {
  return Deno.readTextFileSync(join(DOCS, `${tool}.md`));
}

/** Returns the text of a section, up to the next one. */
function section(page: string, title: string): string {
  const [, ...sections] = page.split(/^## /m);
  const found = sections.find((text) => text.startsWith(`${title}\n`));
  assert(found !== undefined, `there is a section ${title}`);
  return found;
}

/** Returns the anchors that GitHub creates for the headings of a page. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(BLOCK, "").matchAll(/^#+ (.*)$/gm);
  return new Set([...headings].map(([, title]) => {
    return title!.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
  }));
}

for (const tool of TOOLS) {
  Deno.test(`docs/${tool}.md has the sections of every page, in order`, () => {
    const titles = [...pageOf(tool).replaceAll(BLOCK, "").matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    assertEquals(titles, SECTIONS);
  });

  Deno.test(`docs/${tool}.md shows what --help prints`, async () => {
    const block = /^```text\n([\s\S]*?)^```$/m.exec(section(pageOf(tool), "Interface"));
    const { code, stdout, stderr } = await runTool(`${tool}/mod.ts`, ["--help"], []);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(block?.[1], stdout);
  });

  Deno.test(`docs/${tool}.md names the permissions of the table, and no others`, () => {
    const told = section(pageOf(tool), "Permissions").match(/--allow-[a-z-]+/g) ?? [];
    const flags = [...LEAST_PERMISSIONS[tool], ...PERMISSIONS[tool]];
    const needed = [...new Set(flags.map((flag) => flag.replace(/=.*/, "")))];
    assertEquals([...new Set(told)].sort(), needed.sort());
  });
}

Deno.test("every relative link in README.md and docs/ leads to an existing file and heading", () => {
  const pages = [...Deno.readDirSync(DOCS)].filter(({ name }) => name.endsWith(".md"));
  const broken: string[] = [];
  for (const file of ["README.md", ...pages.map(({ name }) => join("docs", name))]) {
    const text = Deno.readTextFileSync(join(ROOT, file));
    for (const [, link] of text.replaceAll(BLOCK, "").matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link!)) continue;
      const [path, anchor] = link!.split("#");
      const target = path === "" ? join(ROOT, file) : join(ROOT, dirname(file), path!);
      if (!existsSync(target)) broken.push(`${file}: ${link}`);
      else if (anchor !== undefined && !anchorsOf(Deno.readTextFileSync(target)).has(anchor)) {
        broken.push(`${file}: ${link} (no such anchor)`);
      }
    }
  }
  assertEquals(broken, []);
});
