import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { tempDir, until } from "../helpers.ts";
import { Program } from "./program.ts";
import { lent, StatusColony } from "./status_files.ts";
import { HEEDING, peakMemoryOf, run, runTool, sh, signalIfThere, toolCommand } from "./tools.ts";
import { Web } from "./web.ts";

const SLEEP = { args: ["sleep", "1000"] };
const CRASH = { args: sh("echo oops >&2; exit 3") };

/** A colony with logs. */
class WebColony extends StatusColony {
  constructor(config: Readonly<Record<string, unknown>> = {}, args: readonly string[] = []) {
    const place = tempDir();
    super({ config, args: ["--logs", place.file("logs"), ...args] }, place);
    this.logs = place.file("logs");
    this.web = { status: this.status, dir: place };
  }
  readonly logs: string;
  /** What {@linkcode Web.of} needs. */
  readonly web: { readonly status: string; readonly dir: { file(name: string): string } };
}

/** Runs ctl on the status of a colony. */
async function ctl(colony: WebColony, ...words: string[]): Promise<string> {
  const command = [...toolCommand("ctl/mod.ts", ["--allow-read"]), "--status", colony.status, ...words];
  return (await run(command)).stdout;
}

/** Removes what differs from second to second. */
function withoutTime(text: string): string {
  return text.replaceAll(/waits \d+ s|for \d+ s/g, "waits").replaceAll(/"last_scan":"[^"]+"|"scan_ms":\d+/g, "");
}

Deno.test("/api/status and /api/why/NAME answer what ctl status --json and ctl why --json print", async () => {
  await using colony = new WebColony({ web: SLEEP, crash: CRASH, "ÿ é": SLEEP }, ["-m", "60"]);
  await colony.inState("crash", "waiting");
  await colony.inState("web", "running");
  await colony.inState("ÿ é", "running");
  await using web = Web.of(colony.web);
  const { status, headers, text } = await web.ask("/api/status");
  assertEquals([status, headers.get("content-type")], [200, "application/json"]);
  assertEquals(withoutTime(text), withoutTime(await ctl(colony, "status", "--json")));
  for (const name of ["web", "crash", "ÿ é"]) {
    const { sentences, ...story } = await web.json(`/api/why/${encodeURIComponent(name)}`);
    const printed = JSON.parse(await ctl(colony, "why", name, "--json"));
    assertEquals(withoutTime(JSON.stringify(story)), withoutTime(JSON.stringify(printed)));
    assertMatch(sentences.past[0].sentence, /was started as pid \d+ \(start 1\), because the monitor started\.$/);
    const plain = await web.ask(`/api/why/${encodeURIComponent(name)}`, { headers: { accept: "text/plain" } });
    assertEquals(withoutTime(plain.text), withoutTime(await ctl(colony, "why", name)));
  }
  const unknown = await web.ask("/api/why/wbe");
  assertEquals(unknown.status, 404);
  assertEquals(JSON.parse(unknown.text), { version: 1, error: 'There is no "wbe": did you mean "web"?' });
});

Deno.test("/events tells what changed, soon, and what a client has missed", async () => {
  await using colony = new WebColony({ web: SLEEP });
  const { pid } = await colony.inState("web", "running");
  await using web = Web.of(colony.web);
  await using events = await web.follow("/events");
  const first = await events.find("hello", (data, event) => event === "hello" && data);
  assertEquals(first.all, true);
  const { boot, count, colonies: [{ host, processes }] } = await web.json("/api/colonies");
  assertEquals([boot, host, processes[0].pid], [first.boot, null, pid]);
  signalIfThere(pid!, "SIGKILL");
  const change = await events.find("web runs again", (data) => {
    const told = data.processes?.find(({ name }: { name: string }) => name === "web");
    return told?.starts === 2 && told.state === "running" && { ...data, told };
  });
  assertEquals(change.told.last_exit.signal, "SIGKILL");
  await events.find("its end is told in a sentence", (data) => {
    return data.happened?.some(({ sentence }: { sentence: string }) =>
      /^web was ended by SIGKILL after/.test(sentence)
    );
  });
  colony.remove("web");
  await events.find("it is gone", (data) => data.gone?.includes("web"));
  await using again = await web.follow(`/events?since=${boot}.${count}`);
  const hello = await again.find("hello", (data, event) => event === "hello" && data);
  assertEquals([hello.all, hello.boot], [false, boot]);
  await again.find("what was missed", (data) => data.processes?.some(({ starts }: { starts: number }) => starts === 2));
  await again.find("what was missed", (data) => data.gone?.includes("web"));
  await using byHeader = await web.follow("/events", { headers: { "last-event-id": `${boot}.${count}` } });
  await byHeader.find("what was missed", (data) => data.gone?.includes("web"));
  for (const id of [`${boot}.${1e9}`, `${crypto.randomUUID()}.${count}`, "x", `${boot}.-1`]) {
    await using unknown = await web.follow(`/events?since=${id}`);
    assertEquals(await unknown.find("hello", (data, event) => event === "hello" && data.all), true, id);
  }
});

Deno.test("/metrics answers what ctl metrics prints, in the format that the client accepts", async () => {
  await using colony = new WebColony({ web: SLEEP, crash: CRASH }, ["-m", "60"]);
  await colony.inState("crash", "waiting");
  await colony.inState("web", "running");
  await using web = Web.of(colony.web);
  // What differs from scan to scan.
  const steady = (text: string) => text.replaceAll(/^ncolony_(?:monitor|process_(?:cpu|memory)).*$/gm, "");
  const [text, open] = [await ctl(colony, "metrics"), await ctl(colony, "metrics", "--openmetrics")];
  const plain = "text/plain; version=0.0.4; charset=utf-8";
  const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  const prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
  for (
    const [accept, type] of [
      ["*/*", plain],
      ["", plain],
      ["text/html", plain],
      ["text/plain;version=0.0.4;q=0.5,*/*;q=0.1", plain],
      ["application/openmetrics-text;q=0.2, text/plain", plain],
      ["application/openmetrics-text;q=0", plain],
      ["application/openmetrics-text;q=x", plain],
      ["application/openmetrics-text; version=1.0.0", openMetrics],
      [prometheus, openMetrics],
    ] as const
  ) {
    const answer = await web.ask("/metrics", { headers: { accept } });
    assertEquals([accept, answer.status, answer.headers.get("content-type")], [accept, 200, type]);
    assertEquals(steady(answer.text), steady(type === plain ? text : open));
  }
});

Deno.test("/healthz is 200 or 503 as ctl status exits with 0 or not", async () => {
  await using colony = new WebColony({ web: SLEEP });
  await colony.inState("web", "running");
  await using web = Web.of(colony.web);
  assertEquals((await web.ask("/healthz")).status, 200);
  assertEquals((await web.ask("/healthz")).text, "1 of 1 run\n");
  colony.put("crash", CRASH);
  await colony.inState("crash", "waiting");
  await until("it is not well", async () => (await web.ask("/healthz")).status === 503);
  assertMatch((await web.ask("/healthz")).text, /^1 of 2 run; crash (?:waits|died)/);
  colony.remove("crash");
  await until("it is well again", async () => (await web.ask("/healthz")).status === 200);
  await colony.stop();
  await until("the monitor is gone", async () => (await web.ask("/healthz")).status === 503);
  assertMatch((await web.ask("/healthz")).text, /^The monitor is not running: it stopped/);
});

Deno.test("a status directory that comes, goes and comes again is shown as it is", async () => {
  using dir = tempDir();
  await using web = new Web(["--status", dir.file("status")], ["--allow-net=127.0.0.1", `--allow-read=${dir.path}`]);
  const missing = `There is no status in "${dir.file("status")}". Is a monitor running with --colony or --status?`;
  assertEquals((await web.ask("/healthz")).text, `${missing}\n`);
  for (let round = 1; round <= 2; round++) {
    await using colony = new StatusColony({ config: { web: SLEEP } }, lent(dir));
    await colony.inState("web", "running");
    await using events = await web.follow("/events");
    await until("web runs", async () => (await web.json("/api/status")).processes[0]?.name === "web");
    await colony.stop();
    await events.find("the monitor is gone", (data) => data.monitor?.alive === false);
    Deno.removeSync(dir.file("status"), { recursive: true });
    await events.find("web is gone", (data) => data.gone?.[0] === "web");
    await events.find("the status is gone", (data) => data.summary?.[0] === missing);
  }
  assertEquals(web.count(/WARN There is no status in/), 3);
});

Deno.test("a file that is no status hides no process, and is named", async () => {
  await using colony = new WebColony({ web: SLEEP });
  await colony.inState("web", "running");
  await colony.stop();
  for (const [name, text] of Object.entries({ empty: "", other: "{}", "b\u202ead": "[" })) {
    Deno.writeTextFileSync(join(colony.status, name), text);
  }
  await using web = Web.of(colony.web);
  const { colonies: [{ processes, summary }] } = await web.json("/api/colonies");
  assertEquals([processes.length, summary.length], [1, 4]);
  assertStringIncludes(summary[1], "b\\u202ead cannot be shown: ");
});

Deno.test("answers have a policy that runs nothing from elsewhere, and only GET and HEAD are answered", async () => {
  await using colony = new WebColony({ web: SLEEP });
  await colony.inState("web", "running");
  await using web = Web.of(colony.web);
  const [app] = /\/assets\/\w+\/app\.js/.exec((await web.ask("/")).text)!;
  for (const path of ["/", "/process/web", "/api/status", "/healthz", app, "/nothing", "/api/why/none"]) {
    const { headers, status } = await web.ask(path);
    assertEquals(
      headers.get("content-security-policy"),
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "same-origin");
    assertEquals(headers.get("cache-control"), path === app ? "max-age=31536000, immutable" : "no-store");
    const head = await web.ask(path, { method: "HEAD" });
    assertEquals([head.status, head.text], [status, ""]);
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const refused = await web.ask(path, { method });
      assertEquals([refused.status, refused.headers.get("allow")], [405, "GET, HEAD"]);
    }
  }
  assertEquals((await web.ask("/login", { method: "POST" })).status, 405);
  const stream = await fetch(await web.url("/events"), { method: "HEAD" });
  assertEquals([stream.status, await stream.text()], [200, ""]);
  const assets = app.slice(0, -"app.js".length);
  for (
    const path of [
      "/app.js",
      "/assets/0/app.js",
      ...["", "index.html", "login.html", "__proto__", "constructor"].map((name) => assets + name),
      "/api/why/%ff",
      "/api/why/..%2fx",
      "//x",
    ]
  ) {
    assertEquals((await web.ask(path)).status, 404, path);
  }
});

Deno.test("only requests that call the server by its own name, or by an address, are answered", async () => {
  using dir = tempDir();
  const permissions = ["--allow-net=localhost", `--allow-read=${dir.path}`];
  await using web = new Web(["--status", dir.path, "--host", "Colony.Example"], permissions, "localhost:0");
  const statusOf = async (host: string, rest = "") => {
    const answer = await web.raw(`GET /api/status HTTP/1.1\r\n${host}\r\nConnection: close\r\n${rest}\r\n`);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  };
  for (
    const name of [
      ...["127.0.0.1", "127.0.0.1:80", "[::1]:9180", "10.1.2.3", "localhost", "LOCALHOST:1", "colony.example"],
      ...["colony.example:443", "COLONY.example."],
    ]
  ) assertEquals(await statusOf(`Host: ${name}`), 200, name);
  for (
    const name of [
      ...["evil.example", "evil.example:9180", "127.0.0.1.evil.example", "xlocalhost", "localhost.evil.example", ""],
      ...["colony.example.evil.example", "1.2.3", "[::1", "127.0.0.1:80:80", "a@localhost", "localhost@evil.example"],
    ]
  ) assert([400, 421].includes(await statusOf(`Host: ${name}`)), name);
  assertEquals(await statusOf("X: y"), 421);
  const answer = await web.raw("GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
  assertMatch(answer, /^HTTP\/1\.1 421 /);
});

Deno.test("web shows the end of a log, follows it over rotation, and shows no other file", async () => {
  await using colony = new WebColony({
    talk: { args: sh(`trap '' TERM; for i in 1 2 3; do echo line $i; done; exec sleep 1000`) },
  });
  await colony.inState("talk", "running");
  const log = join(colony.logs, "talk.log");
  await until("it is written", () => /line 3\n$/.test(read(log)));
  await using web = Web.of(colony.web);
  assertEquals((await web.json("/api/log/talk?lines=2")).lines, ["line 2", "line 3"]);
  await using following = await web.follow("/api/follow/talk?lines=100");
  await following.find("the end", ({ begin, lines, exists }) => begin && exists && lines.at(-1) === "line 3");
  Deno.renameSync(log, `${log}.1`);
  Deno.writeTextFileSync(`${log}.1`, "line 4\n", { append: true });
  Deno.writeTextFileSync(log, "line 5\n\u001b[31m<b>\u202e\n");
  await until("all was read", () => {
    return Promise.resolve(following.events.flatMap(({ data }) => data.lines).length >= 6);
  });
  const all = following.events.flatMap(({ data }) => data.lines);
  assertEquals(all, ["line 1", "line 2", "line 3", "line 4", "line 5", "\u001b[31m<b>\u202e"]);
  assertEquals((await web.ask("/api/log/none")).status, 404);
  await using none = await web.follow("/api/follow/none");
  await none.find("there is none", ({ exists, begin }) => begin && exists === false);
  Deno.writeTextFileSync(join(colony.logs, "none.log"), "hello\n");
  await none.find("it has begun", ({ lines }) => lines.includes("hello"));
  Deno.symlinkSync("/etc/passwd", join(colony.logs, "link.log"));
  const link = await web.ask("/api/log/link");
  assert([404, 500].includes(link.status) && !link.text.includes("root"), link.text);
});

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

Deno.test("a client that reads nothing is dropped, and costs no other client anything", async () => {
  await using colony = new WebColony({ web: SLEEP });
  await colony.inState("web", "running");
  await using web = Web.of(colony.web);
  const log = join(colony.logs, "flood.log");
  const flood = () => Deno.writeTextFileSync(log, `${"x".repeat(4000)}\n`.repeat(60), { append: true });
  flood();
  const { port } = new URL(await web.url());
  using stuck = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await stuck.write(new TextEncoder().encode("GET /api/follow/flood HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await using other = await web.follow("/api/follow/flood?lines=1");
  const descriptors = async () => {
    const { stdout } = await run(["sh", "-c", `ls -l /proc/${web.process.pid}/fd | grep -c flood`]);
    return Number(stdout);
  };
  await until("both follow", async () => await descriptors() === 2);
  await until("it is dropped", async () => {
    flood();
    return await descriptors() === 1;
  });
  const before = other.events.length;
  flood();
  await until("the other one still follows", () => other.events.length > before);
  assertEquals(web.matching(/ERROR|error/), []);
  assertLess(await peakMemoryOf(web.process.pid), 150);
});

Deno.test("at most 200 clients follow something at once, and whoever leaves makes room", async () => {
  await using colony = new WebColony({ web: SLEEP });
  await colony.inState("web", "running");
  await using web = Web.of(colony.web);
  const url = await web.url("/events");
  const following: Response[] = [];
  while (following.length < 200) {
    const responses = await Promise.all(Array.from({ length: 20 }, () => fetch(url)));
    assertEquals(responses.map(({ status }) => status), responses.map(() => 200));
    following.push(...responses);
  }
  for (const path of ["/events", "/api/follow/web"]) {
    const { status, headers } = await web.ask(path);
    assertEquals([status, headers.get("retry-after")], [503, "10"]);
  }
  assertEquals((await web.ask("/api/status")).status, 200);
  await following.pop()!.body!.cancel();
  await until("there is room", async () => {
    const response = await fetch(url);
    await response.body!.cancel();
    return response.status === 200;
  });
  for (const { body } of following) await body!.cancel();
});

Deno.test("web needs only to listen and to read the status and the logs, and neither writes nor runs anything", async () => {
  await using colony = new WebColony({ web: SLEEP });
  await colony.inState("web", "running");
  const net = "--allow-net=127.0.0.1";
  const reads = `--allow-read=${colony.status},${colony.logs}`;
  const argv = ["--status", colony.status, "--logs", colony.logs];
  {
    await using web = new Web(argv, [net, reads]);
    for (const path of ["/", "/api/status", "/api/why/web", "/api/samples/web", "/api/log/web", "/healthz"]) {
      assertEquals((await web.ask(path)).status, 200, path);
    }
    await using events = await web.follow("/events");
    signalIfThere(colony.pidsOf("web")[0]!, "SIGKILL");
    await events.find(
      "web runs again",
      (data) => data.processes?.some(({ starts }: { starts: number }) => starts === 2),
    );
    assertEquals(web.matching(/--allow|ERROR|WARN/), []);
  }
  const listen = ["--listen", "127.0.0.1:0"];
  const without = await runTool("web/mod.ts", [...argv, ...listen], [reads]);
  assertEquals([without.code, without.stderr.split("\n").length], [1, 2]);
  assertMatch(without.stderr, /^ncolony-web: needs --allow-net for /);
  await using blind = new Web(argv, [net, `--allow-read=${colony.logs}`]);
  const { status, text } = await blind.ask("/healthz");
  assertEquals([status, /cannot be read: needs --allow-read/.test(text)], [503, true], text);
  await using mute = new Web(argv, [net, `--allow-read=${colony.status}`]);
  await until("web runs for longer than the threshold", async () => (await mute.ask("/healthz")).status === 200);
  const log = await mute.ask("/api/log/web");
  assertEquals([log.status, /needs --allow-read/.test(log.text)], [500, true], log.text);
});

Deno.test("web says where it cannot listen, and what has no log or no numbers", async () => {
  await using colony = new WebColony({ web: SLEEP });
  await colony.inState("web", "running");
  await using web = new Web(["--status", colony.status], [`--allow-read=${colony.status}`, "--allow-net=127.0.0.1"]);
  const address = `127.0.0.1:${await web.port()}`;
  const argv = ["--status", colony.status, "--listen", address];
  const second = await runTool("web/mod.ts", argv, [`--allow-read=${colony.status}`, "--allow-net=127.0.0.1"]);
  assertEquals([second.code, second.stderr], [1, `ncolony-web: cannot listen on ${address}: address already in use\n`]);
  const log = await web.ask("/api/log/web");
  assertEquals([log.status, /web has no log: /.test(log.text)], [404, true], log.text);
  await using blind = new Web(["--status", colony.status], ["--allow-net=127.0.0.1"]);
  const { status, text } = await blind.ask("/metrics");
  assertEquals([status, /cannot be read: needs --allow-read/.test(text)], [503, true], text);
});

Deno.test("web closes all connections and listens again when it has too many open files", async () => {
  using dir = tempDir();
  const limited = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"];
  const command = toolCommand("web/mod.ts", ["--quiet", "--allow-net=127.0.0.1", `--allow-read=${dir.path}`]);
  await using web = new Program([...HEEDING, ...limited, ...command, "--status", dir.path, "--listen", "127.0.0.1:0"]);
  const port = await web.numberIn(/listening on http:\/\/.*:(\d+)\/$/);
  const connections: Deno.Conn[] = [];
  try {
    for (let k = 0; k < 100 && web.count(/ERROR closes all connections/) === 0; k++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
      if (connection !== null) connections.push(connection);
    }
    await web.waitFor(/ERROR closes all connections: too many open files$/);
  } finally {
    for (const connection of connections) connection.close();
  }
  await until("it answers again", async () => {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    await response?.body?.cancel();
    return response?.status === 503;
  });
});
