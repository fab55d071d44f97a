import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Answer, askHttp, type HttpTarget } from "@ncolony/host";
import { join } from "@std/path";
import { Program } from "../cli/program.ts";
import { hasCommand, ROOT } from "../cli/tools.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { closedBy, RawServer, type Talk, target } from "./raw_server.ts";

const LONG_MS = 20_000;
const OK: Talk = (_, write) => write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");

/** Asks a URL. Fails if the reason reveals part of the request. */
async function ask(url: string, how: Partial<HttpTarget> = {}): Promise<Answer> {
  const answer = await askHttp(target(url, how), LONG_MS, new AbortController().signal);
  if (answer.type !== "status") assert(!/hunter|127\.0\.0\.1|localhost|\n|\/tmp/.test(answer.reason), answer.reason);
  return answer;
}

Deno.test("askHttp() makes a connection for each request, and keeps none", async () => {
  let open = 0;
  await using server = new RawServer(async (connection, write) => {
    open++;
    await write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    await closedBy(connection);
    open--;
  });
  for (let times = 1; times <= 3; times++) {
    assertEquals(await ask(`http://${server.host}/`), { type: "status", status: 200 });
    await until("its connection is closed", () => open === 0);
    assertEquals(server.connections, times);
  }
});

Deno.test("askHttp() closes the connection of an endless body when its time is over", async () => {
  let isClosed = false;
  await using server = new RawServer(async (connection, write) => {
    await write("HTTP/1.1 200 OK\r\n\r\nbegun");
    await closedBy(connection);
    isClosed = true;
  });
  const answer = await askHttp(target(`http://${server.host}/`), 300, new AbortController().signal);
  assertEquals(answer, { type: "status", status: 200 });
  await until("it is closed", () => isClosed);
});

Deno.test("askHttp() sends the headers of a config, even its own host and user agent", async () => {
  await using server = new RawServer(OK);
  const headers = { Host: "a.example", "User-Agent": "me", "X-Token": "hunter2" };
  await ask(`http://${server.host}/path`, { headers });
  const lines = server.requests[0]!.toLowerCase().split("\r\n");
  for (const line of ["host: a.example", "user-agent: me", "x-token: hunter2"]) assert(lines.includes(line), line);
  assertEquals(lines.filter((line) => /^(host|user-agent):/.test(line)).length, 2);
});

/** Returns the answers of these targets, asked by a program with these permissions and this environment. */
async function askApart(targets: readonly HttpTarget[], permissions: readonly string[], env = {}): Promise<Answer[]> {
  using dir = tempDir();
  const script = dir.write(
    "ask.ts",
    `import { askHttp } from "@ncolony/host";
    const answers = [];
    for (const target of JSON.parse(Deno.args[0])) {
      answers.push(await askHttp(target, 20_000, new AbortController().signal));
    }
    console.log(JSON.stringify(answers));`,
  );
  const options = ["run", "--no-prompt", "--frozen", "--quiet", "--config", join(ROOT, "deno.json"), ...permissions];
  const args = [...options, script, JSON.stringify(targets)];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, env, stderr: "inherit" }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("askHttp() asks on a unix socket, whatever host the URL names, and names the permissions that it needs", async () => {
  using dir = tempDir();
  const path = dir.file("socket");
  const script = dir.write(
    "serve.ts",
    `Deno.serve({ path: Deno.args[0], onListen: () => console.log("ready") }, ({ headers }) => {
      return new Response(null, { status: headers.get("host") === "a.example" ? 204 : 500 });
    });`,
  );
  await using server = new Program([Deno.execPath(), "run", "--allow-all", script, path]);
  await server.waitFor(/ready/);
  const asked = (unix: string) => target("http://a.example/hunter2", { unix });
  const paths = [path, dir.file("none"), dir.write("file", "")];
  const net = `--allow-net=${paths.map((it) => `unix:${it}`).join()}`;
  const granted = [`--allow-read=${dir.path}`, `--allow-write=${dir.path}`, net];
  assertEquals(await askApart(paths.map(asked), granted), [
    { type: "status", status: 204 },
    { type: "broken", reason: 'no socket at the path in "unix"' },
    { type: "broken", reason: "connection refused" },
  ]);
  const reason = 'needs --allow-read=PATH, --allow-write=PATH and --allow-net=unix:PATH for the path in "unix"';
  assertEquals(await askApart([asked(path)], granted.slice(0, 2)), [{ type: "impossible", reason }]);
});

Deno.test("askHttp() uses no proxy, whatever the environment says", async () => {
  await using proxy = new RawServer(OK);
  await using server = new RawServer(OK);
  const names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
  const env = { NODE_USE_ENV_PROXY: "1", ...Object.fromEntries(names.map((name) => [name, `http://${proxy.host}`])) };
  const targets = [`http://${server.host}/`, `https://${server.host}/`].map((url) => target(url));
  const answers = await askApart(targets, ["--allow-net=127.0.0.1", "--allow-env"], env);
  assertEquals(answers.map(({ type }) => type), ["status", "broken"]);
  // Deno itself may ask the proxy for something, such as its newest version.
  assertEquals(proxy.requests.filter((request) => request.includes(server.host)), []);
  assertEquals(server.connections, 2);
});

Deno.test("askHttp() reports if http and https are mixed up", async () => {
  const talks: readonly Talk[] = [
    async (connection) => void await connection.write(new Uint8Array([0x15, 3, 1, 0, 2, 2, 70])),
    (_, write) => write("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"),
    (_, write) => {
      const body = "<html>The plain HTTP request was sent to HTTPS port</html>";
      return write(`HTTP/1.1 400 Bad Request\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    },
  ];
  for (const talk of talks) {
    await using server = new RawServer(talk);
    const answer = await ask(`http://${server.host}/`);
    assertMatch("reason" in answer ? answer.reason : answer.hint ?? "", /the URL may need to begin with https:\/\//);
  }
  await using plain = new RawServer((_, write) => write("HTTP/1.1 400 Bad Request\r\n\r\nNo such thing"));
  assertEquals(await ask(`http://${plain.host}/`), { type: "status", status: 400 });
});

Deno.test("askHttp() takes a switch of protocols as an answer, and closes the connection", async () => {
  let isClosed = false;
  await using server = new RawServer(async (connection, write) => {
    await write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    await closedBy(connection);
    isClosed = true;
  });
  assertEquals(await ask(`http://${server.host}/`), { type: "status", status: 101 });
  await until("it is closed", () => isClosed);
});

Deno.test("askHttp() takes answers that are not quite HTTP, as browsers do", async () => {
  for (
    const text of ["HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"]
  ) {
    await using server = new RawServer((_, write) => write(text));
    assertEquals(await ask(`http://${server.host}/`), { type: "status", status: 200 }, text);
  }
});

Deno.test("askHttp() names the permission that a host needs, and reports URLs that form no request", async () => {
  const reason = "needs --allow-net for the host of the URL";
  for (const host of ["localhost:18431", "example.com", "[::1]:80", "127.0.0.2"]) {
    for (const scheme of ["http", "https"]) {
      assertEquals(await ask(`${scheme}://${host}/`), { type: "impossible", reason }, host);
    }
  }
  await using server = new RawServer(OK);
  const nothing = { type: "impossible", reason: "the URL and the headers do not form a valid request" } as const;
  assertEquals(await ask(`http://hunter2:100%@${server.host}/`), nothing);
  for (const host of ["hunter2 x", "", "a:99999"]) {
    assertEquals(await ask(`https://${server.host}/`, { headers: { host } }), nothing, host);
  }
  assertEquals(server.connections, 0);
});

/** Makes an authority, and its certificate for some names, valid for `days`. It is expired if `days` is negative. */
async function certify(dir: TempDir, names: string, days: number): Promise<{ ca: string; cert: string; key: string }> {
  const script = `
    cd "$1" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem \
      -days 30 -subj /CN=authority
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out request.pem -subj /CN=server
    printf 'subjectAltName=%s' "$2" > names
    openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days "$3" -extfile names -out cert.pem`;
  const args = ["-c", script, "sh", dir.path, names, `${days}`];
  const { success, stderr } = await new Deno.Command("sh", { args }).output();
  assert(success, new TextDecoder().decode(stderr));
  const [cert, key] = ["cert.pem", "key.pem"].map((name) => Deno.readTextFileSync(dir.file(name)));
  return { ca: dir.file("ca.pem"), cert: cert!, key: key! };
}

const CERTIFICATES = { ignore: !hasCommand("openssl") };

for (
  const [what, names, days, reason] of [
    ["is for its name", "DNS:localhost,IP:127.0.0.1", 10, null],
    ["has expired", "DNS:localhost,IP:127.0.0.1", -1, "the server's certificate has expired"],
    ["is for another name", "DNS:other.example", 10, "the server's certificate does not match"],
  ] as const
) {
  Deno.test(
    `askHttp() checks a server's certificate that ${what}, with its CA, without it, and insecurely`,
    CERTIFICATES,
    async () => {
      using dir = tempDir();
      const { ca, cert, key } = await certify(dir, names, days);
      const options = { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} };
      const server = Deno.serve(options, ({ headers }) => new Response(null, { status: headers.has("x") ? 204 : 200 }));
      const url = `https://127.0.0.1:${server.addr.port}/hunter2`;
      const trusted = await ask(url, { ca });
      if (reason === null) assertEquals(trusted, { type: "status", status: 200 });
      else assert(trusted.type === "impossible" && trusted.reason.startsWith(reason), JSON.stringify(trusted));
      const untrusted = await ask(url);
      assert(untrusted.type === "impossible", JSON.stringify(untrusted));
      assertMatch(untrusted.reason, days < 0 ? /expired/ : /not from a trusted CA, .*"ca"/);
      assertEquals(await ask(url, { isInsecure: true, headers: { x: "y" } }), { type: "status", status: 204 });
      await server.shutdown();
    },
  );
}

Deno.test("askHttp() checks a certificate for the name in the Host header", CERTIFICATES, async () => {
  using dir = tempDir();
  const { ca, cert, key } = await certify(dir, "DNS:a.example", 10);
  const options = { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} };
  const server = Deno.serve(options, () => new Response());
  const answer = await ask(`https://127.0.0.1:${server.addr.port}/`, { ca, headers: { host: "a.example" } });
  assertEquals(answer, { type: "status", status: 200 });
  await server.shutdown();
});

Deno.test("askHttp() reports what is wrong with a file of certificates, and does not wait for a FIFO", async () => {
  using dir = tempDir();
  const fifo = dir.file("fifo");
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  for (
    const [ca, fault] of [
      [dir.file("none"), "no such file or directory"],
      [fifo, "not a regular file"],
      [dir.write("text", "hunter2"), "contains no PEM certificate"],
      [dir.write("bad", "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n"), ""],
    ] as const
  ) {
    const answer = await ask("https://127.0.0.1:1/", { ca });
    if (fault === "") assert(answer.type !== "status", ca);
    else assertEquals(answer, { type: "impossible", reason: `"ca" file: ${fault}` });
  }
});
