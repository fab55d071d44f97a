import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs/exists";
import { join } from "@std/path";
import { until } from "../helpers.ts";
import { silent, type Tool } from "./checkers.ts";
import { Colony } from "./harness.ts";
import { asked } from "./servers.ts";
import { denoEnv, gone, ROOT, sh, signalIfThere, toolCommand } from "./tools.ts";

const HEARTS_ENV = "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME";

/** Returns the config of a checker that has just the permissions it needs, with a heart in this directory. */
function checker(colony: Colony, tool: Tool, name: string, hearts: string, ...also: string[]): Record<string, unknown> {
  const read = `--allow-read=${colony.config},${colony.messages},${hearts}`;
  const write = `--allow-write=${colony.messages},${join(hearts, name)}`;
  const command = toolCommand(`${tool}/mod.ts`, [read, write, HEARTS_ENV, ...also]);
  return {
    ...silent({ period: 0.8, grace: 4, status: hearts }),
    args: [...command, ...colony.places, "--freq", "0.1"],
    env: denoEnv(),
    "ncolony.monitor": { kill_time: 0.2 },
  };
}

/** Waits until a checker asked for a restart and the process runs again. Returns its new pid. */
async function restarted(colony: Colony, name: string, pid: number, reason: string): Promise<number> {
  await colony.waitFor(new RegExp(`WARN ${name}: ${reason}.*: asked for a restart$`));
  const next = await colony.until(`restart of ${name}`, () => colony.pidsOf(name).find((it) => it > 0 && it !== pid));
  await gone(pid);
  return next;
}

Deno.test("beatcheck has a process restarted that stops beating, and leaves one alone that beats", async () => {
  await using colony = new Colony();
  const hearts = colony.dir.dir("hearts");
  const stop = colony.dir.file("stop");
  const beat = (name: string, until: string) => `${until}; do touch ${join(hearts, name)}; sleep 0.1; done`;
  const heart = { ...silent({ period: 2, grace: 1, status: hearts }), env: denoEnv() };
  colony.put("db", { ...heart, args: sh(beat("db", "while :")) });
  colony.put("web", { ...heart, args: sh(`${beat("web", `until [ -e ${stop} ]`)}; rm ${stop}; exec cat`) });
  const web = await colony.started("web");
  const db = await colony.started("db");
  colony.put("health", checker(colony, "beatcheck", "health", hearts));
  await until("web beats", () => existsSync(join(hearts, "web"), { isFile: true }));
  Deno.writeTextFileSync(stop, "");
  await restarted(colony, "web", web, "no heartbeat for 2 s");
  const restartedAt = Date.now();
  await until("web beats again", () => Deno.statSync(join(hearts, "web")).mtime!.getTime() > restartedAt);
  await colony.fence();
  assertEquals(colony.pidsOf("db"), [db]);
  assertEquals([colony.pidsOf("web").length, colony.pidsOf("health").length], [2, 1]);
});

Deno.test("httpcheck has a server restarted that begins to answer 500, and leaves one alone that answers well", async () => {
  await using colony = new Colony();
  const hearts = colony.dir.dir("hearts");
  const script = colony.dir.write(
    "server.ts",
    `const [port, sick] = Deno.args;
    try { Deno.removeSync(sick); } catch {}
    const isSick = () => { try { return Deno.statSync(sick).isFile; } catch { return false; } };
    const answer = () => new Response(String(Deno.pid), { status: isSick() ? 500 : 200 });
    Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen: () => {} }, answer);`,
  );
  const sick = (name: string) => colony.dir.file(`${name} is sick`);
  const urls = new Map<string, string>();
  for (const name of ["web", "db"]) {
    const { port } = freeAddress();
    urls.set(name, `http://127.0.0.1:${port}/`);
    const flags = [`--allow-net=127.0.0.1:${port}`, `--allow-read=${sick(name)}`, `--allow-write=${sick(name)}`];
    const args = [Deno.execPath(), "run", "--no-prompt", ...flags, script, `${port}`, sick(name)];
    colony.put(name, { ...asked(urls.get(name)!, { period: 0.5, grace: 2, maxBad: 3 }), args, env: denoEnv() });
  }
  const [web, db] = [await colony.started("web"), await colony.started("db")];
  for (const [name, pid] of [["web", web], ["db", db]] as const) await answers(urls.get(name)!, pid);
  const hosts = [...urls.values()].map((url) => new URL(url).host);
  colony.put("http", checker(colony, "httpcheck", "http", hearts, `--allow-net=${hosts.join()}`));
  await colony.started("http");
  Deno.writeTextFileSync(sick("web"), "");
  await answers(urls.get("web")!, await restarted(colony, "web", web, "too many bad responses \\(last: status 500\\)"));
  await colony.fence();
  assertEquals(colony.pidsOf("db"), [db]);
  assertEquals(colony.pidsOf("http").length, 1);
});

/** Returns an address that is free at the moment. */
function freeAddress(): Deno.NetAddr {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr as Deno.NetAddr;
}

/** Waits until a process answers well. */
async function answers(url: string, pid: number): Promise<void> {
  for (let round = 0; round < 300; round++) {
    try {
      const response = await fetch(url);
      if (await response.text() === `${pid}` && response.ok) return;
    } catch {
      // The server does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${pid} does not answer`);
}

Deno.test("beatcheck and httpcheck under the monitor are restarted when they hang", async () => {
  await using colony = new Colony();
  const hearts = colony.dir.dir("hearts");
  for (const name of ["one", "two"]) colony.put(name, checker(colony, "beatcheck", name, hearts));
  colony.put("http", checker(colony, "httpcheck", "http", hearts));
  const hang = async (name: string) => {
    const pid = await colony.started(name);
    await until(`${name} beats`, () => existsSync(join(hearts, name), { isFile: true }));
    signalIfThere(pid, "SIGSTOP");
    return pid;
  };
  const [one, http] = [await hang("one"), await hang("http")];
  const again = await restarted(colony, "one", one, "no heartbeat for 0.8 s");
  await restarted(colony, "http", http, "no heartbeat for 0.8 s");
  // By now only the restarted checker can see this one.
  const two = await hang("two");
  await restarted(colony, "two", two, "no heartbeat for 0.8 s");
  assert(again !== one);
  assertEquals(colony.matching(/ERROR/), []);
});

Deno.test("a program with startHeart() beats, and is restarted when its event loop hangs", async () => {
  await using colony = new Colony();
  const hearts = colony.dir.dir("hearts");
  const script = colony.dir.write(
    "program.ts",
    `import { startHeart } from "@ncolony/beatcheck/heart";
    using heart = startHeart();
    const [hang] = Deno.args;
    const isThere = () => { try { return Deno.statSync(hang).isFile; } catch { return false; } };
    while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
    Deno.removeSync(hang);
    while (true);`,
  );
  const program = (name: string) => {
    const [heart, hang] = [join(hearts, name), colony.dir.file(`${name} hangs`)];
    const flags = [`--allow-read=${hearts},${hang}`, `--allow-write=${heart},${hang}`, HEARTS_ENV];
    const options = ["run", "--no-prompt", "--frozen", "--config", join(ROOT, "deno.json"), ...flags];
    const args = [Deno.execPath(), ...options, script, hang];
    colony.put(name, { ...silent({ period: 2, grace: 1.5, status: hearts }), args, env: denoEnv() });
    return hang;
  };
  const hang = program("web");
  program("db");
  const [web, db] = [await colony.started("web"), await colony.started("db")];
  await until("both beat", () => ["web", "db"].every((name) => existsSync(join(hearts, name), { isFile: true })));
  colony.put("health", checker(colony, "beatcheck", "health", hearts));
  Deno.writeTextFileSync(hang, "");
  await restarted(colony, "web", web, "no heartbeat for 2 s");
  const restartedAt = Date.now();
  await until("web beats again", () => Deno.statSync(join(hearts, "web")).mtime!.getTime() > restartedAt);
  await colony.fence();
  assertEquals(colony.pidsOf("db"), [db]);
});
