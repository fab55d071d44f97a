import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { parse } from "yaml";
import manifest from "../deno.json" with { type: "json" };
import { ASSETS_FILE, assetsModule, LIBRARIES } from "../tools/assets.ts";
import { schemaFiles } from "../tools/schemas.ts";
import * as umbrella from "../mod.ts";
import { ASSETS } from "../web/assets.ts";
import { tempDir } from "./helpers.ts";
import { namesIn, ROOT, run } from "./cli/tools.ts";

const FOLDERS = [".", ...manifest.workspace];

function versionsIn(root: string): string[] {
  return FOLDERS.map((folder) => JSON.parse(Deno.readTextFileSync(join(root, folder, "deno.json"))).version);
}

Deno.test("all packages have the same version, and the changelog has an entry for it", () => {
  assertEquals(new Set(versionsIn(ROOT)), new Set([manifest.version]));
  assertStringIncludes(Deno.readTextFileSync(join(ROOT, "CHANGELOG.md")), `\n## ${manifest.version}`);
});

Deno.test("`deno task version` sets the version of all packages, and changes nothing else", async () => {
  using dir = tempDir();
  for (const folder of FOLDERS) {
    Deno.mkdirSync(dir.file(folder), { recursive: true });
    Deno.copyFileSync(join(ROOT, folder, "deno.json"), dir.file(folder, "deno.json"));
  }
  const set = (version: string) => {
    const flags = ["--frozen", `--allow-read=${dir.path}`, `--allow-write=${dir.path}`];
    return run([Deno.execPath(), "run", ...flags, join(ROOT, "tools", "version.ts"), version, dir.path]);
  };
  for (const wrong of ["", "1", "v1.2.3", '1.2.3"', "1.2.3 "]) assertEquals((await set(wrong)).code, 2);
  assertEquals((await set("1.2.3-rc.1")).code, 0);
  assertEquals(new Set(versionsIn(dir.path)), new Set(["1.2.3-rc.1"]));
  assertEquals((await set(manifest.version)).code, 0);
  for (const folder of FOLDERS) {
    const [before, after] = [ROOT, dir.path].map((root) => Deno.readTextFileSync(join(root, folder, "deno.json")));
    assertEquals(after, before);
  }
});

Deno.test("core/schemas and docs/schemas have what `deno task schemas` writes", () => {
  const files = schemaFiles();
  for (const [path, text] of Object.entries(files)) assertEquals(Deno.readTextFileSync(path), text, path);
  for (const place of ["core/schemas", "docs/schemas"]) {
    const paths = namesIn(join(ROOT, place)).map((name) => join(ROOT, place, name));
    assertEquals(paths.filter((path) => !Object.hasOwn(files, path)), []);
  }
});

Deno.test("web/assets.ts has the files of web/page and of the libraries, unchanged, and their licenses", async () => {
  assertEquals(Deno.readTextFileSync(ASSETS_FILE), await assetsModule(), "deno task assets");
  for (const [name, path] of Object.entries(LIBRARIES)) {
    assertEquals(ASSETS[name as keyof typeof ASSETS].text, Deno.readTextFileSync(path));
    const license = join(dirname(dirname(path)), "LICENSE");
    assertStringIncludes(ASSETS["licenses.txt"].text, Deno.readTextFileSync(license).trim());
  }
  const { publish } = JSON.parse(Deno.readTextFileSync(join(ROOT, "web", "deno.json")));
  assertEquals(publish.exclude, ["page/"]);
});

Deno.test("every package has a description and a license, and publishes only what a user needs", () => {
  for (const folder of manifest.workspace) {
    // The page is in web/assets.ts.
    const names = namesIn(join(ROOT, folder)).filter((name) => `${folder}/${name}` !== "./web/page");
    const subfolders = names.filter((name) => Deno.statSync(join(ROOT, folder, name)).isDirectory);
    const others = [
      ...names.filter((name) =>
        !/^(?:LICENSE|README\.md|deno\.json|[a-z0-9_]+\.ts)$/.test(name) && !subfolders.includes(name)
      ),
      ...subfolders.flatMap((subfolder) => namesIn(join(ROOT, folder, subfolder))).filter((name) =>
        !/^(?:README\.md|[a-z0-9_]+\.ts|[a-z]+\.schema\.json)$/.test(name)
      ),
    ];
    assertEquals([folder, others], [folder, []]);
    for (const name of ["LICENSE", "README.md"]) {
      assertEquals([folder, name, names.includes(name)], [folder, name, true]);
    }
    const { description, license } = JSON.parse(Deno.readTextFileSync(join(ROOT, folder, "deno.json")));
    assertEquals([folder, typeof description, license], [folder, "string", "MIT"]);
  }
  assertEquals(manifest.publish.include, ["mod.ts", "exports/", "deno.json", "README.md", "LICENSE"]);
});

Deno.test("the umbrella package is a program, and exports each library under its name", async () => {
  assertEquals(Object.keys(umbrella), ["main"]);
  const names = Object.entries(manifest.exports).filter(([name]) => name !== ".");
  assertEquals(names.map(([, path]) => path.replace("./exports/", "")).sort(), namesIn(join(ROOT, "exports")));
  for (const [name, path] of names) {
    const [through, direct] = [await import(join(ROOT, path)), await import(join(ROOT, name, "mod.ts"))];
    assertEquals(Object.keys(through).sort(), Object.keys(direct).sort());
  }
});

Deno.test("the workflows are YAML and run existing tasks, and all files name the same version of Deno", () => {
  const workflows = namesIn(join(ROOT, ".github", "workflows")).map((name) => join(".github", "workflows", name));
  const versions = new Set<string>();
  for (const path of [...workflows, ".ci/run", "README.md", "deploy/Dockerfile"]) {
    const text = Deno.readTextFileSync(join(ROOT, path));
    for (const [, version] of text.matchAll(/deno(?:@|-version: v|:|:distroless-)(\d+\.\d+\.\d+)/g)) {
      versions.add(version!);
    }
    if (!workflows.includes(path)) continue;
    const { jobs } = parse(text);
    for (const { run } of Object.values<{ steps: { run?: string }[] }>(jobs).flatMap(({ steps }) => steps)) {
      for (const [, task] of (run ?? "").matchAll(/^deno task (\S+)/gm)) {
        assertEquals([task, task! in manifest.tasks], [task, true]);
      }
    }
  }
  assertEquals(versions.size, 1);
});
