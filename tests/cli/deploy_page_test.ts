/** The page of a colony as `deploy/` runs it: as one more process, in the image and under systemd. */

import { parseSpec } from "@ncolony/core";
import { assert, assertEquals, assertLess } from "@std/assert";
import { join } from "@std/path";
import { LEAST_PERMISSIONS, V8_FLAGS } from "../../tools/permissions.ts";
import { tempDir } from "../helpers.ts";
import { canIsolate, Container, makeRoot } from "./container.ts";
import { StatusColony } from "./status_files.ts";
import { denoEnv, hasCommand, ROOT, run } from "./tools.ts";

const DEPLOY = join(ROOT, "deploy");
const TOKEN = "correct-horse-battery-staple";

/** Returns a port of 127.0.0.1 that nothing listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

for (const file of ["page-container.json", "page-systemd.json"]) {
  Deno.test(`deploy/${file} is the config of a page with least privileges, and shows the colony`, async () => {
    const source = Deno.readTextFileSync(join(DEPLOY, file));
    const { args } = parseSpec("page", source);
    const flags = args.filter((arg) => arg.startsWith("--allow-"));
    assertEquals(flags.map((flag) => flag.replace(/=.*/, "")), [...LEAST_PERMISSIONS.web]);
    assert(args.includes(V8_FLAGS));
    using dir = tempDir();
    const token = dir.write("token", TOKEN);
    Deno.chmodSync(token, 0o600);
    await using colony = new StatusColony();
    const port = freePort();
    const here: Readonly<Record<string, string>> = {
      "0.0.0.0:9180": `127.0.0.1:${port}`,
      "127.0.0.1:9180": `127.0.0.1:${port}`,
      "/run/ncolony/status": colony.status,
      "/run/secrets/page": token,
      "--no-config": "--frozen",
    };
    const words = args.map((arg) => {
      if (/(?:^|\/)deno$/.test(arg)) return Deno.execPath();
      if (arg.endsWith("/ncolony-web.js")) return join(ROOT, "web", "mod.ts");
      return Object.entries(here).reduce((word, [there, here]) => word.replaceAll(there, here), arg);
    });
    colony.put("page", { args: words, env_inherit: Object.keys(denoEnv()) });
    await colony.waitFor(/listening on http/);
    await colony.inState("page", "running");
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`http://127.0.0.1:${port}/api/status`, { headers });
    const { processes } = await answer.json();
    assertEquals(processes.map(({ name }: { name: string }) => name), ["page"]);
  });
}

Deno.test({
  name: "the image shows the page of its colony to a health check (skipped unless root with namespaces and ip)",
  ignore: !await canIsolate() || !hasCommand("ip"),
  fn: async () => {
    using root = tempDir();
    Deno.chmodSync(root.path, 0o755);
    await makeRoot(root, "monitor", "reaper", "web");
    for (const [path, owner] of [["run/ncolony", 65532], ["run/secrets", 0]] as const) {
      Deno.mkdirSync(root.file(path));
      Deno.chownSync(root.file(path), owner, owner);
    }
    Deno.chownSync(root.file("messages"), 65532, 65532);
    Deno.writeTextFileSync(root.file("run/secrets/page"), TOKEN);
    Deno.chownSync(root.file("run/secrets/page"), 65532, 65532);
    Deno.chmodSync(root.file("run/secrets/page"), 0o400);
    Deno.copyFileSync(join(DEPLOY, "page-container.json"), root.file("conf/page"));
    const dockerfile = Deno.readTextFileSync(join(DEPLOY, "Dockerfile"));
    const entrypoint: string[] = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)![1]!);
    const [, added] = /^#.*\bncolony (--trust-read-only-mount --status .*)$/m.exec(dockerfile)!;
    const command = [...entrypoint, ...added!.split(" ")];
    const env = { DENO_DIR: "/run/ncolony/deno", PATH: "/usr/bin:/bin:/usr/sbin:/sbin" };
    const setup = `mount -t proc proc ${root.path}/proc && ip link set lo up`;
    const inside = ["chroot", "--userspec=65532:65532", root.path, ...command];
    await using container = new Container(setup, inside, env);
    const init = await container.init;
    const code = `const { status } = await fetch("http://127.0.0.1:9180/healthz"); console.log(status)`;
    const ask = ["nsenter", "-t", `${init}`, "-n", Deno.execPath(), "eval", code];
    for (let round = 0; (await run(ask)).stdout !== "200\n"; round++) assertLess(round, 100, "all is well");
    container.signal("SIGTERM");
    const ended = await container.ended();
    assertEquals(ended.code, 0, ended.lines.join("\n"));
  },
});
