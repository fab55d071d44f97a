/**
 * The architecture rules. Each is a test that fails with the rule and the files that break it.
 *
 * core/ decides, host/ uses the operating system, and the programs connect the two.
 */

import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";

interface Source {
  readonly path: string;
  readonly lines: readonly string[];
  /** The text without comments. */
  readonly code: string;
  readonly imports: readonly string[];
}

const PROGRAMS = ["monitor", "ctl", "beatcheck", "httpcheck", "scheduler", "notify", "reaper", "web"];
const MEMBERS = ["core", "host", ...PROGRAMS];

/** The folders of host/. Each imports only the root and the folders before it. */
const HOST_FOLDERS = ["files", "output", "scopes", "children", "program", "checks", "runs"];

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const sources = [
  "",
  "exports",
  ...MEMBERS,
  ...HOST_FOLDERS.map((folder) => `host/${folder}`),
  "monitor/compat",
  "ctl/commands",
].flatMap(sourcesOf);

/** The files that check over HTTP, and what they may load after the start. */
const HTTP = ["host/checks/http.ts", "host/checks/http_connection.ts"];
const NODE_HTTP = /^node:(https?|net|tls|stream)$/;

Deno.test("core/ imports nothing but core/", () => {
  assertNone(
    "core/ has no dependency",
    of("core"),
    ({ imports }) => imports.some((name) => !/^\.\/\w+\.ts$/.test(name)),
  );
});

Deno.test("core/ uses no clock, no randomness, no timer and no promise", () => {
  const impure =
    /\b(Date\b(?!\.parse\(|\(\w+\))|Math\.random|performance|setTimeout|setInterval|Promise|async|await|globalThis|Intl)\b/;
  assertNone("core/ is pure", of("core"), ({ code }) => impure.test(code));
});

Deno.test("host/ imports only core/ and @std, and no node: module, which takes 5 to 20 ms to load", () => {
  assertNone("imports point one way: core ← host ← programs", of("host"), ({ path, imports }) => {
    // A check over HTTP loads node: modules at the first request. Nothing else can bypass proxies and report errors.
    const allowed = HTTP.includes(path) ? imports.filter((name) => !NODE_HTTP.test(name)) : imports;
    return allowed.some((name) => !/^(\.{1,2}\/(\w+\/)?\w+\.ts|@ncolony\/core|@std\/.+)$/.test(name));
  });
  // @std/path imports a node: module to detect Windows, and @std/path/posix has 40 modules.
  const slow = /^node:|^@std\/(path|path\/posix|fs)$/;
  assertNone("nothing slow is imported", sources, ({ path, imports, code }) => {
    const atStart = HTTP.includes(path) && !/^import (?!type)[^;]*"node:/m.test(code)
      ? imports.filter((name) => !NODE_HTTP.test(name))
      : imports;
    return atStart.some((name) => slow.test(name));
  });
});

/** The files that call Deno's own functions, which block on a FIFO and follow symbolic links, and why that is safe. */
const OPENED_BY_DENO: Readonly<Record<string, string>> = {
  "host/files/lock.ts":
    "only Deno's files can be locked; opening one for reading and writing does not block, and it is checked then",
  "host/files/fresh.ts": "creates a file under a new name",
  "host/files/status_reader.ts": "in a directory that only root and the user can write",
  "host/files/published.ts": "only Deno's files can be locked; no other user may write its directory",
  "host/files/post.ts": "creates a file under a new name; reads a file that the command line names",
  "host/files/watch.ts": "opens a file of its own for writing",
  "host/files/mounts.ts": "reads /proc",
  "host/children/child_table.ts": "no other user may write its directory",
  "host/children/descriptors.ts": "opens /dev/null",
  "host/scopes/cgroup.ts": "reads and writes /sys/fs/cgroup",
  "host/scopes/logins.ts": "reads regular files of /run/systemd, which only root may write",
  "host/scopes/own_cgroup.ts": "reads /proc",
  "host/scopes/proc.ts": "reads /proc",
  "host/program/inherited.ts": "reads /proc",
  "host/files/is_locked.ts": "only Deno's files can be locked; it is a regular file, for reading",
  "host/children/here.ts": "reads /etc/passwd",
  "host/program/heart.ts": "creates a file if it is missing",
  "host/output/log_target.ts": "a device, its own stream, or a file that it may not stat",
};

Deno.test("only host/files/open.ts opens files, except for the listed files", () => {
  const opens = /\bDeno\.(open|create|readFile|readTextFile|writeFile|writeTextFile|truncate|copyFile)(Sync)?\(/;
  const opening = sources.filter(({ code }) => opens.test(code)).map(({ path }) => path);
  assertEquals(opening.sort(), Object.keys(OPENED_BY_DENO).sort());
  const loading = sources.filter(({ code }) => code.includes("getBuiltinModule")).map(({ path }) => path);
  assertEquals(loading.sort(), ["host/node.ts"]);
});

Deno.test("the folders of host/ import only its root and the folders before them", () => {
  const folderOf = (path: string) => HOST_FOLDERS.indexOf(path.split("/").at(-2)!);
  const inHost = of("host").filter(({ path }) => path !== "host/mod.ts");
  assertNone("a folder imports only those before it, and the root none", inHost, ({ path, imports }) => {
    const own = imports.filter((name) => name.startsWith("."));
    return own.some((name) => folderOf(join(dirname(path), name)) > folderOf(path));
  });
  const folders = [...Deno.readDirSync(join(root, "host"))].filter(({ isDirectory }) => isDirectory);
  assertEquals(folders.map(({ name }) => name).sort(), [...HOST_FOLDERS].sort());
});

Deno.test("each folder of host/ has a README.md that names every file", () => {
  for (const folder of ["", ...HOST_FOLDERS]) {
    const page = Deno.readTextFileSync(join(root, "host", folder, "README.md"));
    const files = sources.filter(({ path }) => dirname(path) === join("host", folder)).map(({ path }) =>
      path.split("/").at(-1)!
    );
    const named = [...page.matchAll(/^\| `(\w+\.ts)`/gm)].map(([, name]) => name!);
    assertEquals([folder, named.toSorted()], [folder, files.toSorted()]);
  }
});

Deno.test("programs import core/ and host/, and never each other", () => {
  const allowed =
    /^(\.{1,2}\/(?:(?:compat|commands)\/)?[\w.]+|@ncolony\/core|@ncolony\/host(?:\/(?:read-)?tool)?|@std\/.+)$/;
  assertNone("imports point one way", of(...PROGRAMS), ({ path, imports }) => {
    return imports.some((name) => !allowed.test(name) && !(path.startsWith("scheduler/") && name === "croner"));
  });
});

Deno.test("the umbrella package loads no tool before it knows which", () => {
  const { code } = sources.find(({ path }) => path === "mod.ts")!;
  const loaded = [...code.matchAll(/^(?:import|export)\b[^;(]*?"([^"]+)"/gm)].map(([, name]) => name);
  assertEquals(loaded, ["@ncolony/host/tool", "@ncolony/core", "./deno.json"]);
  const others = code.split("\n").filter((line) => line.includes("import(") && !/^ {6}return await/.test(line));
  assertEquals(others, [], "the tools are imported when they are known");
});

Deno.test("ctl loads no command before it knows which, and each is a file of ctl/commands/", () => {
  const commands = of("ctl/commands").map(({ path }) => path);
  assertNone("a command is loaded by ctl/commands.ts, when it is asked for", of("ctl"), ({ path, imports, code }) => {
    const loaded = imports.filter((name) => commands.includes(join(dirname(path), name)));
    return loaded.some((name) => path !== "ctl/commands.ts" || !code.includes(`load: () => import("${name}")`));
  });
  const { code } = sources.find(({ path }) => path === "ctl/commands.ts")!;
  const entries = [...code.matchAll(/usage: "([\w-]+)[^]*?load: \(\) => import\("\.\/(.*?)"\)/g)];
  assertEquals(entries.map(([, name, path]) => [path, `commands/${name!.replaceAll("-", "_")}.ts`]), [
    ...entries.map(([, , path]) => [path, path]),
  ]);
  assertEquals(entries.map(([, , path]) => `ctl/${path}`).sort(), commands.sort());
});

Deno.test("only host/, reaper/libc.ts and the last line of a program use `Deno`", () => {
  const lastLine = /^if \(import\.meta\.main\) Deno\.exit\(await main\(Deno\.args\)\);$/m;
  const others = sources.filter(({ path }) => !path.startsWith("host/") && path !== "reaper/libc.ts");
  assertNone("host/ is the only library code that says `Deno.`, but for reaper/libc.ts", others, ({ code }) => {
    return /\bDeno\b/.test(code.replace(lastLine, ""));
  });
});

Deno.test("only host/output/log.ts imports @std/log, which must be easy to replace", () => {
  const others = sources.filter(({ path }) => path !== "host/output/log.ts");
  assertNone(
    "only host/output/log.ts imports @std/log",
    others,
    ({ imports }) => imports.some((name) => /^@std\/log/.test(name)),
  );
});

Deno.test("only host/deno_errors.ts reads the messages of Deno's errors", () => {
  const others = of(...MEMBERS).filter(({ path }) => path !== "host/deno_errors.ts");
  const reads =
    /(\.exec|\.test)\((\w*[eE]rror)?\.?message\)|message\.(includes|match|startsWith|endsWith|slice|replace)\(|os error/;
  assertNone("the texts of Deno's errors are read at one place", others, ({ code }) => reads.test(code));
});

Deno.test("library code neither exits nor writes to the console", () => {
  assertNone("library code never calls Deno.exit or console", of(...MEMBERS), ({ code }) => {
    return /\bconsole\b/.test(code) || /Deno\.exit/.test(code.replace(/^if \(import\.meta\.main\).*$/m, ""));
  });
});

Deno.test("signals are never sent by process name", () => {
  assertNone("kill by pid alone", sources, ({ code }) => /\b(pkill|killall|pgrep)\b/.test(code));
});

Deno.test("the four walks of ARCHITECTURE.md name only existing functions", () => {
  const [, walks] = Deno.readTextFileSync(join(root, "ARCHITECTURE.md")).split(/^## Four walks$/m);
  const named = [...walks!.split(/^## /m)[0]!.replaceAll(/\s+/g, " ").matchAll(/`([\w/]+\.ts): (#?\w+)`/g)];
  assertEquals(named.length > 40, true);
  const missing = named.filter(([, path, name]) => {
    const code = sources.find((source) => source.path === path)?.code ?? "";
    return !RegExp(`(^ +(async )?\\*?|\\b(function|class|const) )${name}\\b`, "m").test(code);
  });
  assertEquals(missing.map(([walk]) => walk), []);
});

Deno.test("files have at most 250 lines, and main.ts at most 60", () => {
  assertNone("files have at most 250 lines, main.ts at most 60", sources, ({ path, lines }) => {
    return lines.length > (path.endsWith("/main.ts") ? 60 : 250);
  });
});

Deno.test("every package has the same version and a license", () => {
  const manifests = ["", ...MEMBERS].map((folder) => {
    return JSON.parse(Deno.readTextFileSync(join(root, folder, "deno.json")));
  });
  const license = Deno.readTextFileSync(join(root, "LICENSE"));
  assertEquals(new Set(manifests.map(({ version }) => version)).size, 1, "versions move in lockstep");
  assertEquals(new Set(manifests.map(({ license }) => license)), new Set(["MIT"]));
  for (const member of MEMBERS) assertEquals(Deno.readTextFileSync(join(root, member, "LICENSE")), license);
});

Deno.test("importing every module runs nothing and needs no permission", async () => {
  const code = ["", ...MEMBERS].map((folder) => `import ${JSON.stringify(`file://${join(root, folder, "mod.ts")}`)};`);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "--config", join(root, "deno.json"), "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code.join("\n")));
  await writer.close();
  const { code: exitCode, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  assertEquals([exitCode, text.decode(stdout), text.decode(stderr)], [0, "", ""]);
});

function sourcesOf(folder: string): Source[] {
  const files = [...Deno.readDirSync(join(root, folder))].filter(({ isFile, name }) => isFile && name.endsWith(".ts"));
  return files.map(({ name }) => {
    const path = join(folder, name);
    const text = Deno.readTextFileSync(join(root, path));
    const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
    const imports = [...code.matchAll(/\b(?:import\s*\(\s*|import\s+|from\s+)"([^"]+)"/g)].map(([, name]) => name);
    return { path, lines: text.split("\n"), code, imports };
  });
}

function of(...folders: string[]): Source[] {
  return sources.filter(({ path }) => folders.some((folder) => path.startsWith(`${folder}/`)));
}

function assertNone(sentence: string, among: readonly Source[], breaks: (source: Source) => boolean): void {
  assertEquals(among.length > 0, true, "nothing was looked at");
  assertEquals(among.filter(breaks).map(({ path }) => path), [], sentence);
}
