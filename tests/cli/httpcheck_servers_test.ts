import { assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import { until } from "../helpers.ts";
import { Checker, Ground } from "./checkers.ts";
import { answer, asked, listenOnly, RawServer, Server } from "./servers.ts";

/** Sends a byte of a header now and then, until the client leaves. */
async function drip(connection: Deno.TcpConn): Promise<void> {
  await answer(connection, "HTTP/1.1 200 OK\r\nx: ");
  for (;;) {
    await connection.write(new Uint8Array([0x78]));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Leaves bytes unread when it closes, so the client sees a reset. */
async function reset(connection: Deno.TcpConn): Promise<void> {
  await connection.read(new Uint8Array(1));
}

async function babble(connection: Deno.TcpConn): Promise<void> {
  await answer(connection, "How do you do?\r\n\r\n");
  await listenOnly(connection);
}

/** Returns an address on which no server listens. */
function refusing(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `http://127.0.0.1:${listener.addr.port}/`;
}

Deno.test("httpcheck reports a mute, slow, resetting, refusing or non-HTTP server in time, and asks the others", async () => {
  await using server = new Server(() => new Response("well"));
  using mute = new RawServer(listenOnly);
  using dripping = new RawServer(drip);
  using resetting = new RawServer(reset);
  using babbling = new RawServer(babble);
  using ground = new Ground();
  const reasons = {
    mute: [mute.url, "no response within 0.3 s"],
    dripping: [dripping.url, "no response within 0.3 s"],
    resetting: [
      resetting.url,
      "connection closed without a response (if the server speaks TLS, the URL must begin with https://)",
    ],
    refusing: [refusing(), "connection refused"],
    babbling: [babbling.url, "the response is not HTTP"],
    // A period cuts the timeout short.
    patient: [mute.url, "no response within 0.25 s"],
  } as const;
  for (const [name, [url]] of Object.entries(reasons)) {
    const times = name === "patient" ? { timeout: 1e9, period: 0.25 } : { timeout: 0.3, period: 0.4 };
    ground.put(name, asked(url, times));
  }
  ground.put("endless", asked(mute.url, { timeout: 1e6, period: 1e6 }));
  ground.put("web", asked(server.url("/web")));
  await using checker = new Checker("httpcheck", ground);
  for (const [name, [, reason]] of Object.entries(reasons)) {
    const pattern = `WARN ${name}: too many bad responses \\(last: ${RegExp.escape(reason)}\\): asked for a restart$`;
    await checker.waitFor(new RegExp(pattern));
  }
  const before = server.count("/web");
  await checker.until("web is asked on", () => server.count("/web") >= before + 5);
  assertEquals(ground.requests().sort(), Object.keys(reasons).sort());
  assertEquals([checker.count(/ endless: /), checker.timesAsked("web")], [0, 0]);
});

Deno.test("httpcheck judges by the status: an endless, slow or truncated body changes nothing", async () => {
  let isCancelled = false;
  const endless = (delayMs: number) =>
    new ReadableStream<Uint8Array>({
      async pull(controller): Promise<void> {
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
        controller.enqueue(new Uint8Array(1024));
      },
      cancel: () => void (isCancelled ||= delayMs === 0),
    });
  await using server = new Server((path) => new Response(endless(path === "/slow" ? 50 : 0)));
  using short = new RawServer((connection) => answer(connection, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"));
  using ground = new Ground();
  ground.put("slow", asked(server.url("/slow")));
  // If httpcheck read the body to its end, this request would never be over.
  ground.put("endless", asked(server.url("/endless"), { timeout: 1e6, period: 1e6 }));
  ground.put("short", asked(short.url));
  await using checker = new Checker("httpcheck", ground);
  await checker.until("all were asked on", () => {
    return server.count("/endless") === 1 && server.count("/slow") >= 6 && short.accepted >= 6;
  });
  await until("the endless body is let be", () => isCancelled);
  assertEquals(ground.requests(), []);
});

Deno.test("httpcheck aborts a request when its config is removed or changed, and when a signal ends httpcheck", async () => {
  using mute = new RawServer(listenOnly);
  using ground = new Ground();
  const patient = asked(mute.url, { timeout: 1e6, period: 1e6 });
  for (const name of ["web", "db"]) ground.put(name, patient);
  await using checker = new Checker("httpcheck", ground);
  await until("both are asked", () => mute.accepted === 2);
  ground.remove("web");
  await until("one request is aborted", () => mute.left === 1);
  ground.put("db", asked(mute.url, { timeout: 1e6, period: 0.1 }));
  await until("it is asked anew", () => mute.accepted === 3 && mute.left === 2);
  checker.process.kill("SIGTERM");
  assertEquals(await checker.ended(), 0);
  // A slow machine may have let the short period pass.
  const others = checker.count(/^(?!.* db: bad response )/);
  assertEquals(others, 2, "its start, and that nobody tells when processes start");
});

Deno.test("a timeout of years does not fire at once", async () => {
  using mute = new RawServer(listenOnly);
  await using server = new Server(() => new Response());
  using ground = new Ground();
  ground.put("patient", asked(mute.url, { timeout: 1e9, period: 1e9 }));
  ground.put("web", asked(server.url("/web")));
  await using checker = new Checker("httpcheck", ground);
  await checker.until("both are asked", () => mute.accepted > 0 && server.count("/web") >= 3);
  assertEquals([mute.left, checker.count(/ patient: /)], [0, 0]);
});

Deno.test("httpcheck asks a thousand URLs at once, and again each period, however long an answer takes", async () => {
  const [period, slowMs] = [1, 600];
  const slowness = (path: string) => path.startsWith("/slow") ? slowMs : 0;
  await using server = new Server(async (path) => {
    if (slowness(path) > 0) await new Promise((resolve) => setTimeout(resolve, slowMs));
    return new Response("well");
  });
  using ground = new Ground();
  const paths = Array.from({ length: 1000 }, (_, index) => `/${index % 2 === 0 ? "quick" : "slow"}-${index}`);
  for (const path of paths) {
    ground.put(path.slice(1), asked(server.url(path), { period, timeout: period, maxBad: 1e6 }));
  }
  await using checker = new Checker("httpcheck", ground);
  const total = (kind: string) =>
    paths.filter((path) => path.startsWith(kind)).reduce((sum, path) => sum + server.count(path), 0);
  await checker.until("all were asked six times", () => total("/quick") >= 6 * 500);
  const counts = paths.map((path) => server.count(path));
  assertGreater(Math.min(...counts), Math.max(...counts) / 2);
  // If a period began with the answer, the ratio would be 0.625.
  assertGreaterOrEqual(total("/slow") / total("/quick"), 0.75);
});

Deno.test("httpcheck shows no secret part of a URL in a line", async () => {
  const secret = "hunter2";
  await using server = new Server((path) => new Response(null, { status: path === "/good" ? 200 : 500 }));
  using mute = new RawServer(listenOnly);
  using resetting = new RawServer(reset);
  using babbling = new RawServer(babble);
  using early = new RawServer(async (connection) => {
    await connection.write(new TextEncoder().encode("HTTP/1.1 500 x\r\n\r\n"));
    await listenOnly(connection);
  });
  const hide = (url: string) => `${url.replace("//", `//user:${secret}@`)}?token=${secret}#${secret}`;
  const urls: Record<string, string> = {
    good: server.url("/good"),
    bad: server.url("/bad"),
    mute: mute.url,
    resetting: resetting.url,
    babbling: babbling.url,
    early: early.url,
    refusing: refusing(),
    encrypted: babbling.url.replace("http:", "https:"),
    elsewhere: "http://127.0.0.2:9/",
    unknown: "http://host.invalid/",
    blocked: "http://127.0.0.1:22/",
    unparsed: "http://[::1/",
    ftp: "ftp://127.0.0.1/",
  };
  using ground = new Ground();
  const check = { period: 0.4, timeout: 0.3, maxBad: 0 };
  for (const [name, url] of Object.entries(urls)) ground.put(name, asked(hide(url), check));
  for (const wrong of ["period", "timeout", "expect"]) ground.put(wrong, asked(hide("http://a/"), { [wrong]: secret }));
  ground.put("quoted", `{"args": ["cat"], "ncolony.httpcheck": {"url": "${hide("http://a/")}" ?`);
  await using checker = new Checker("httpcheck", ground, { args: ["--freq", "0.05", "--log-level", "debug"] });
  const names = [...Object.keys(urls), "period", "timeout", "expect", "quoted"].filter((name) => name !== "good");
  for (const name of names) await checker.waitFor(new RegExp(` ${name}: `));
  for (const name of ["bad", "mute", "resetting", "babbling", "refusing", "encrypted"]) await checker.asked(name);
  await until("good is asked", () => server.count("/good") > 0);
  checker.process.kill("SIGTERM");
  await checker.ended();
  assertEquals(checker.lines.filter((line) => line.includes(secret)), []);
});
