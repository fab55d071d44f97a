import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type TempDir, tempDir } from "./helpers.ts";
import { Program, type ProgramOptions } from "./cli/program.ts";
import { MONITOR_PERMISSIONS, namesIn, place, toolCommand } from "./cli/tools.ts";

function start(
  name: string,
  permissions: readonly string[],
  argv: readonly string[],
  options?: ProgramOptions,
): Program {
  return new Program([...toolCommand(`examples/${name}.ts`, permissions), ...argv], options);
}

function placesIn(dir: TempDir): [config: string, messages: string] {
  return [dir.dir("config"), dir.dir("messages")];
}

Deno.test("the embedded example logs the events of its processes, and stops them when it is asked to stop", async () => {
  using dir = tempDir();
  const [config, messages] = placesIn(dir);
  await using example = start("embedded", MONITOR_PERMISSIONS, [config, messages]);
  place(config, "web", '{"args": ["cat"]}');
  await example.waitFor(/^web runs as pid \d+$/);
  place(config, "db", '{"args": ["sh", "-c", "exit 3"]}');
  await example.waitFor(/^db has ended: \{ type: "code", code: 3 \}$/);
  await example.waitFor(/^db is started again in \d+ ms$/);
  place(config, "bad", "{");
  await example.waitFor(/^trouble with bad: /);
  Deno.removeSync(join(config, "db"));
  await example.waitFor(/^db is gone$/);
  assertEquals(await example.stop(), 0);
  assertEquals(example.stdout.at(-1), "web is gone");
});

Deno.test("the web_service example adds, restarts and removes workers, and rejects invalid requests", async () => {
  using dir = tempDir();
  const [config, messages] = placesIn(dir);
  const both = `${config},${messages}`;
  const permissions = ["--allow-net=127.0.0.1", `--allow-read=${both}`, `--allow-write=${both}`];
  await using example = start("web_service", permissions, [config, messages, "/usr/bin/worker", "0"]);
  const [, base] = await example.waitFor(/Listening on (http:\/\/127\.0\.0\.1:\d+)\//);
  const ask = async (method: string, path: string) => {
    const response = await fetch(`${base}${path}`, { method });
    return [response.status, await response.text()] as const;
  };
  assertEquals(await ask("PUT", "/workers/acme"), [204, ""]);
  const added = JSON.parse(Deno.readTextFileSync(join(config, "acme")));
  assertEquals([added.args, added.group], [["/usr/bin/worker", "acme"], ["workers"]]);
  assertEquals(await ask("POST", "/workers/acme/restart"), [202, ""]);
  const [message] = namesIn(messages);
  assertEquals(JSON.parse(Deno.readTextFileSync(join(messages, message!))), { type: "RESTART", name: "acme" });
  assertEquals((await ask("DELETE", "/workers/acme"))[0], 204);
  assertEquals(namesIn(config), []);
  for (const path of ["/", "/workers/..%2Fx", "/workers/%ff", "/workers/.x"]) {
    assertEquals([path, (await ask("PUT", path))[0]], [path, path === "/" ? 404 : 400]);
  }
  assertEquals((await ask("DELETE", "/workers/acme"))[0], 404);
  assertEquals((await ask("GET", "/workers/acme"))[0], 405);
  assertEquals(namesIn(config), []);
});

Deno.test("the worker_with_heart example beats if its config asks for a heartbeat, and works without one", async () => {
  using dir = tempDir();
  const hearts = dir.dir("hearts");
  const permissions = [
    `--allow-read=${hearts}`,
    `--allow-write=${hearts}`,
    "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME",
  ];
  const beatcheck = { period: 10, grace: 3, status: hearts };
  const env = { NCOLONY_NAME: "worker", NCOLONY_CONFIG: JSON.stringify({ "ncolony.beatcheck": beatcheck }) };
  await using watched = start("worker_with_heart", permissions, [], { env });
  await using other = start("worker_with_heart", permissions, []);
  for (const it of [watched, other]) await it.waitFor(/^round 1 is done$/);
  assertEquals(namesIn(hearts), ["worker"]);
  assertEquals([watched.stderr, other.stderr], [[], []]);
});
