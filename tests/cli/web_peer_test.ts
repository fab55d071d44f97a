import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type TempDir, tempDir } from "../helpers.ts";
import { StatusColony } from "./status_files.ts";
import { runTool, signalIfThere } from "./tools.ts";
import { Web } from "./web.ts";

const SLEEP = { args: ["sleep", "1000"] };
const TOKEN = "correct-horse-battery-staple";

/** Writes a file with the token. */
function tokenIn(dir: TempDir): string {
  const path = dir.write("token", TOKEN);
  Deno.chmodSync(path, 0o600);
  return path;
}

/** Starts a server of this colony that shows peers. */
function startWith(colony: StatusColony, ...argv: string[]): Web {
  const permissions = ["--allow-net=127.0.0.1", "--allow-read"];
  return new Web(["--status", colony.status, "--logs", colony.dir.dir("logs"), ...argv], permissions);
}

Deno.test("web shows the colonies of peers, with their story and logs, and tells what changes there", async () => {
  await using here = new StatusColony({ config: { web: SLEEP } });
  await using there = new StatusColony({ config: { db: SLEEP } });
  await here.inState("web", "running");
  const { pid } = await there.inState("db", "running");
  const token = tokenIn(there.dir);
  await using peer = startWith(there, "--token-file", token);
  Deno.writeTextFileSync(join(there.dir.path, "logs", "db.log"), "hello <b>\n");
  const url = (await peer.url("")).replace(/\/$/, "");
  await using web = startWith(here, "--peer", `rack2=${url}/`, "--peer-token-file", `rack2=${token}`);
  await web.waitFor(/peer rack2: connected to /);
  await using events = await web.follow("/events");
  const { colonies } = await web.json("/api/colonies");
  assertEquals(colonies.map(({ host }: { host: string }) => host), [null, "rack2"]);
  assertEquals([colonies[1].processes[0].name, colonies[1].processes[0].pid, colonies[1].unreachable], [
    "db",
    pid,
    null,
  ]);
  assertEquals((await web.json("/api/colonies?own")).colonies.length, 1);
  assertEquals((await web.json("/api/status")).processes.map(({ name }: { name: string }) => name), ["web"]);
  const story = await web.json("/api/hosts/rack2/why/db");
  assertEquals(story, await peer.json("/api/why/db", { headers: { authorization: `Bearer ${TOKEN}` } }));
  assertEquals((await web.json("/api/hosts/rack2/log/db")).lines, ["hello <b>"]);
  assertEquals((await web.json("/api/hosts/rack2/samples/db")).name, "db");
  await using log = await web.follow("/api/hosts/rack2/follow/db");
  await log.find("the log", ({ lines }) => lines.includes("hello <b>"));
  Deno.writeTextFileSync(join(there.dir.path, "logs", "db.log"), "more\n", { append: true });
  await log.find("what is added", ({ lines }) => lines.includes("more"));
  assertEquals((await web.ask("/api/hosts/rack2/why/none")).status, 404);
  assertEquals((await web.ask("/api/hosts/rack3/why/db")).status, 404);
  signalIfThere(pid!, "SIGKILL");
  await events.find("db runs again", ({ host, processes }) => {
    return host === "rack2" && processes.some(({ starts }: { starts: number }) => starts === 2);
  });
  await events.find("its end is told", ({ host, happened = [] }) => {
    return host === "rack2" && happened.some(({ sentence }: { sentence: string }) => /^db was ended by/.test(sentence));
  });
  there.remove("db");
  await events.find("db is gone", ({ host, gone = [] }) => host === "rack2" && gone.includes("db"));
});

Deno.test("a peer that cannot be reached is marked, and found again", async () => {
  await using here = new StatusColony({ config: { web: SLEEP } });
  await using there = new StatusColony({ config: { db: SLEEP } });
  await there.inState("db", "running");
  let url;
  {
    await using peer = startWith(there);
    url = (await peer.url("")).replace(/\/$/, "");
    await peer.ask("/healthz");
  }
  await using web = startWith(here, "--peer", `rack2=${url}`);
  await web.waitFor(/WARN peer rack2: cannot reach http:.*: connection refused$/);
  const [, before] = (await web.json("/api/colonies")).colonies;
  assertEquals([before.unreachable.reason, before.processes], ["connection refused", []]);
  const ask = await web.ask("/api/hosts/rack2/why/db");
  assertEquals([ask.status, JSON.parse(ask.text).error], [502, "rack2 cannot be reached: connection refused"]);
  await using events = await web.follow("/events");
  const listen = url.replace("http://", "");
  {
    const permissions = ["--allow-net=127.0.0.1", `--allow-read=${there.status}`];
    await using peer = new Web(["--status", there.status], permissions, listen);
    await peer.waitFor(/listening on/);
    await events.find("it is found", ({ host, unreachable, processes }) => {
      return host === "rack2" && unreachable === null && processes[0]?.name === "db";
    });
  }
  await events.find("it is lost", ({ host, unreachable }) => host === "rack2" && unreachable !== null && unreachable);
  const [, after] = (await web.json("/api/colonies")).colonies;
  assertEquals(after.processes.map(({ name }: { name: string }) => name), ["db"]);
});

Deno.test("a peer that wants another token, or is something else, is marked, and cannot make web ask elsewhere", async () => {
  await using here = new StatusColony({ config: { web: SLEEP } });
  const asked: string[] = [];
  const answers: Record<string, () => Response> = {
    redirect: () =>
      new Response(null, { status: 302, headers: { location: `http://127.0.0.1:${stranger.addr.port}/stolen` } }),
    json: () => new Response("event: hello\ndata: []\n\n"),
    text: () => new Response("event: hello\ndata: {\n\n"),
    endless: () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(1_000_000))),
        }),
      ),
  };
  const stranger = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(`${pathname} ${request.headers.get("authorization")}`);
    return answers[pathname.split("/")[1]!]?.() ?? new Response("?", { status: 404 });
  });
  await using peer = startWith(here, "--token-file", tokenIn(here.dir));
  try {
    const base = `http://127.0.0.1:${stranger.addr.port}`;
    const peers = [...Object.keys(answers).map((name) => `${name}=${base}/${name}`), `shut=${await peer.url("")}`];
    await using web = startWith(here, ...peers.flatMap((peer) => ["--peer", peer]));
    for (
      const [name, reason] of Object.entries({
        redirect: /redirect mode is set to .error.$/,
        json: /it is no ncolony-web$/,
        text: /it is no ncolony-web$/,
        endless: /an event is too long$/,
        shut: /it requires a token, or a different one$/,
      })
    ) await web.waitFor(new RegExp(`WARN peer ${name}: cannot reach .*${reason.source}`));
    assertEquals(asked.filter((line) => /stolen|Bearer/.test(line)), []);
    const { colonies } = await web.json("/api/colonies");
    assertEquals(colonies.length, 6);
  } finally {
    await stranger.shutdown();
  }
});

Deno.test("web names the option that is wrong", async () => {
  using dir = tempDir();
  for (
    const [argv, reason] of [
      [["--listen", "9180"], '--listen must be HOST:PORT, such as 127.0.0.1:9180 or [::1]:9180: got "9180"'],
      [["--listen", "127.0.0.1:99999"], "--listen must be HOST:PORT"],
      [["--host", "http://x"], '--host must be the name of a host, without a port: got "http://x"'],
      [["--peer", "x"], "--peer must be NAME=…"],
      [["--peer", "a b=http://x"], "--peer must be NAME=…"],
      [["--peer", "a=ftp://x"], "--peer must be NAME=URL, and the URL must be http: or https:"],
      [["--peer", "a=http://user:secret@x"], "--peer must be NAME=URL"],
      [["--peer", "a=http://x", "--peer", "a=http://y"], "--peer a is given twice"],
      [["--peer-token-file", "a=x"], "--peer-token-file a has no --peer of that name"],
      [["--log-file", "x"], "unknown option --log-file"],
      [["stray"], 'unexpected argument "stray"'],
    ] as const
  ) {
    const { code, stderr } = await runTool("web/mod.ts", ["--status", dir.path, ...argv], []);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `ncolony-web: ${reason}`);
    assertMatch(stderr, /^.* \(try ncolony-web --help\)\n$/);
  }
  const { stderr } = await runTool("web/mod.ts", [], []);
  assertEquals(stderr, "ncolony-web: --status is missing, or --colony (try ncolony-web --help)\n");
});
