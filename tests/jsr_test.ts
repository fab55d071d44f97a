import { assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { copySync } from "@std/fs/copy";
import { join } from "@std/path";
import root from "../deno.json" with { type: "json" };
import { PERMISSIONS, TOOLS } from "../tools/permissions.ts";
import { namesIn, ROOT } from "./cli/tools.ts";
import { JsrRegistry } from "./jsr_registry.ts";
import { isNpmCached, Stranger } from "./jsr_stranger.ts";

interface Config {
  readonly name: string;
  readonly version: string;
  readonly exports: string | Record<string, string>;
}

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly specifier: string }[];
}

const STAND_INS = join(ROOT, "tools", "std");
const PUBLISH = ["task", "--quiet", "publish"];
const PLACES = ["--config", "conf", "--messages", "messages"];
const WORKSPACE: readonly Config[] = [".", ...root.workspace]
  .map((path) => JSON.parse(Deno.readTextFileSync(join(ROOT, path, "deno.json"))));

/** Whether the standard library comes from tools/std. In `deno task test:jsr` it does not, and publishing would need JSR. */
const HAS_LINKS = "links" in root;

/** Returns everything that can be imported, such as `jsr:@ncolony/beatcheck/heart`. */
function allExports(): string[] {
  return WORKSPACE.flatMap(({ name, exports }) => {
    return Object.keys(typeof exports === "string" ? { ".": exports } : exports).map((it) => `jsr:${join(name, it)}`);
  });
}

Deno.test({
  name: "`deno task publish` publishes packages to JSR that work for a new user",
  ignore: !isNpmCached() || !HAS_LINKS,
  fn: async (t) => {
    await using registry = new JsrRegistry();

    const isPublished = await t.step(
      "every package is published, and nothing is loaded from JSR for that",
      async () => {
        using publisher = new Stranger(registry.publisherEnv);
        const { code, stderr } = await publisher.run([Deno.execPath(), ...PUBLISH], ROOT);
        assertEquals([code, stderr], [0, ""]);
        assertEquals(registry.names.toSorted(), WORKSPACE.map(({ name }) => name).sort());
      },
    );

    if (!isPublished) return;
    await t.step("every package contains its files, and no others", () => {
      for (const { name, version } of WORKSPACE) {
        const files = registry.filesOf(name, version);
        for (const file of ["/LICENSE", "/deno.json", "/mod.ts"]) assertEquals(files.includes(file), true, name + file);
        assertEquals(
          files.filter((it) => !/^\/(\w+\/)?(LICENSE|README\.md|deno\.json|\w+\.ts|\w+\.schema\.json)$/.test(it)),
          [],
        );
      }
    });

    await t.step("every package is published after those that it imports", () => {
      assertEquals([registry.names.at(0), registry.names.at(1), registry.names.at(-1)], [
        "@ncolony/core",
        "@ncolony/host",
        "@ncolony/ncolony",
      ]);
    });

    for (const name of namesIn(STAND_INS)) registry.addDirectory(join(STAND_INS, name));
    using stranger = new Stranger({ JSR_URL: registry.url });
    for (const name of ["conf", "messages"]) Deno.mkdirSync(join(stranger.home, name));
    const ctl = async (...args: string[]) => await stranger.deno("run", "-A", "jsr:@ncolony/ctl", ...PLACES, ...args);

    await t.step("every tool prints its --help without permissions", async () => {
      for (const tool of ["ncolony", ...TOOLS]) {
        const help = await stranger.deno("run", "--no-prompt", `jsr:@ncolony/${tool}`, "--help");
        assertMatch(help, new RegExp(`^(ncolony-)?${tool}: .*\n\nUsage: `));
      }
    });

    await t.step("the README's first colony runs, and a script with the library adds a process to it", async () => {
      await ctl("add", "my-cat-program", "--cmd", "cat");
      stranger.write(
        "add.ts",
        `import { add } from "jsr:@ncolony/ctl";
        add({ config: "conf", messages: "messages" }, "web", "sh", ["-c", "echo here is web; exec cat"]);`,
      );
      await stranger.monitor(["run", "-A", "jsr:@ncolony/monitor", ...PLACES], async (has) => {
        await has("my-cat-program: gone -> running");
        await stranger.deno("run", "--allow-read", "--allow-write", "add.ts");
        await has("[web] here is web\n");
        await ctl("restart", "my-cat-program");
        await has("my-cat-program: running -> stopping (restart)");
        await ctl("remove", "my-cat-program");
        await has("my-cat-program: stopping -> gone");
      });
    });

    await t.step("the README's reaper runs a monitor, each with only the permissions that it needs", async () => {
      const reaper = ["run", ...PERMISSIONS.reaper, "jsr:@ncolony/reaper", "--"];
      const monitor = ["deno", "run", "--quiet", ...PERMISSIONS.monitor, "jsr:@ncolony/monitor", ...PLACES];
      await stranger.monitor([...reaper, ...monitor], async (has) => await has("[web] here is web\n"));
    });

    await t.step("the umbrella package can be installed, and runs every tool", async () => {
      const ncolony = stranger.dir.file("bin", "ncolony");
      await stranger.deno("install", "-g", "-A", "-n", "ncolony", "--root", stranger.dir.path, "jsr:@ncolony/ncolony");
      assertStringIncludes((await stranger.run([ncolony, "--help"])).stdout, "\nUsage: ncolony TOOL ");
      for (const tool of TOOLS) {
        const version = await stranger.run([ncolony, tool, "--version"]);
        assertEquals(version, { code: 0, stdout: `ncolony-${tool} ${root.version}\n`, stderr: "" });
      }
      const added = await stranger.run([ncolony, "ctl", ...PLACES, "add", "db", "--cmd", "cat"]);
      assertEquals(added, { code: 0, stdout: "", stderr: "" });
      assertEquals(JSON.parse(stranger.read("conf", "db")), { args: ["cat"] });
    });

    await t.step(
      "every export has its types, and importing all of them does nothing and needs no permission",
      async () => {
        const imports = allExports().map((specifier, index) => `import * as m${index} from "${specifier}";`);
        const uses = imports.map((_, index) => `if (Object.keys(m${index}).length === 0) throw new Error("${index}");`);
        // Without its type, it would be any, which accepts a number.
        const wrong = `import { main } from "jsr:@ncolony/monitor";\n// @ts-expect-error: no words\n(() => main(1));\n`;
        stranger.write("all.ts", [...imports, ...uses, wrong].join("\n"));
        await stranger.deno("check", "--all", "all.ts");
        assertEquals(await stranger.deno("run", "--no-prompt", "all.ts"), "");
      },
    );

    await t.step("every published module imports by path, or by package and version", async () => {
      const { modules } = JSON.parse(await stranger.deno("info", "--json", "all.ts"));
      const published: Module[] = modules.filter((it: Module) => it.specifier.startsWith(`${registry.url}@ncolony/`));
      const names = published.flatMap(({ dependencies = [] }) => dependencies.map(({ specifier }) => specifier));
      assertEquals(names.filter((it) => !/^(\.\.?\/|node:|(jsr:\/?@\w+\/|npm:)[\w-]+@[\^~]?\d)/.test(it)), []);
      assertGreater(names.length, 100);
    });
  },
});

Deno.test({
  name: "`deno task publish` publishes nothing while the lock file is incomplete",
  ignore: !isNpmCached() || !HAS_LINKS,
  fn: async () => {
    await using registry = new JsrRegistry();
    using publisher = new Stranger(registry.publisherEnv);
    const copy = publisher.dir.dir("repository");
    for (const path of [...root.workspace, ...root.publish.include, "tools", "deno.lock"]) {
      copySync(join(ROOT, path), join(copy, path));
    }
    const lacking: [string, (text: string) => string][] = [
      ["deno.json", (text) => text.replace(/npm:croner@[^"]*/, "npm:croner@^11.0.0")],
      ["scheduler/cron.ts", (text) => `import "npm:yaml@^2.0.0";\n${text}`],
    ];
    for (const [path, change] of lacking) {
      const text = Deno.readTextFileSync(join(copy, path));
      Deno.writeTextFileSync(join(copy, path), change(text));
      const { code, stderr } = await publisher.run([Deno.execPath(), ...PUBLISH], copy);
      assertEquals([path, code, registry.names], [path, 1, []]);
      assertStringIncludes(stderr, "The lockfile is out of date");
      Deno.writeTextFileSync(join(copy, path), text);
    }
  },
});
