import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type TempDir, tempDir } from "../helpers.ts";
import { IS_ROOT, runTool } from "./tools.ts";
import { Web } from "./web.ts";

const TOKEN = "correct-horse-battery-staple";

/** Writes a file with a token. Returns its path. */
function tokenFile(dir: TempDir, text = `${TOKEN}\n`, mode = 0o600): string {
  const path = dir.write("token", text);
  Deno.chmodSync(path, mode);
  return path;
}

function start(dir: TempDir, ...argv: string[]): Web {
  const token = tokenFile(dir);
  const permissions = ["--allow-net=127.0.0.1", `--allow-read=${dir.path}`];
  return new Web(["--status", dir.dir("status"), "--token-file", token, ...argv], permissions);
}

/** Sends the login form. */
async function logIn(web: Web, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<{
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
  readonly cookie: string | null;
}> {
  const answer = await web.ask("/login", { method: "POST", body: new URLSearchParams(fields), headers });
  const cookie = answer.headers.get("set-cookie");
  return { status: answer.status, text: answer.text, location: answer.headers.get("location"), cookie };
}

Deno.test("with a token, nobody without it sees anything, but for whether all is well", async () => {
  using dir = tempDir();
  await using web = start(dir);
  for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: TOKEN }, { cookie: `x=${TOKEN}` }]) {
    for (const path of ["/api/status", "/api/colonies", "/api/why/web", "/events", "/api/follow/web", "/nothing"]) {
      const { status, text } = await web.ask(path, { headers: new Headers(headers as Record<string, string>) });
      if (status === 429) continue;
      assertEquals([status, JSON.parse(text)], [401, { version: 1, error: "A valid token is required" }], path);
    }
  }
  await using fresh = start(dir);
  for (const path of ["/", "/process/web"]) {
    const { status, text, headers } = await fresh.ask(path);
    assertEquals([status, headers.get("www-authenticate")], [401, "Bearer"]);
    assertStringIncludes(text, `<input type="hidden" name="next" value="${path}">`);
  }
  const [style] = /\/assets\/\w+\/style\.css/.exec((await fresh.ask("/")).text)!;
  assertEquals((await fresh.ask(style)).status, 200);
  const health = await fresh.ask("/healthz");
  assertEquals([health.status, health.text], [503, "not well\n"]);
  const bearer = { headers: { authorization: `Bearer ${TOKEN}` } };
  assertEquals((await fresh.ask("/api/status", bearer)).status, 200);
  assertMatch((await fresh.ask("/healthz", bearer)).text, /^There is no |^The monitor is not running/);
});

Deno.test("a login sets a cookie that scripts cannot read and other sites cannot send, and that is not the token", async () => {
  using dir = tempDir();
  await using web = start(dir);
  assertEquals((await web.ask("/login")).status, 200);
  const { status, location, cookie } = await logIn(web, { token: ` ${TOKEN}\n`, next: "/process/a%20b" });
  assertEquals([status, location], [303, "/process/a%20b"]);
  const port = new URL(await web.url()).port;
  assertMatch(cookie!, new RegExp(`^ncolony-${port}=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict$`));
  assert(!cookie!.includes(TOKEN));
  const [value] = cookie!.split(";");
  assertEquals((await web.ask("/api/status", { headers: { cookie: `a=b; ${value}; c` } })).status, 200);
  assertEquals((await web.ask("/", { headers: { cookie: value! } })).status, 200);
  assertEquals((await web.ask("/", { headers: { cookie: `${value}0` } })).status, 401);
  await using other = start(dir);
  const [, secret] = value!.split("=");
  const foreign = `ncolony-${await other.port()}=${secret}`;
  assertEquals((await other.ask("/", { headers: { cookie: foreign } })).status, 401, "it is that of one start alone");
  for (
    const next of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\r\nb", ""]
  ) {
    assertEquals((await logIn(web, { token: TOKEN, next })).location, "/", next);
  }
  const wrong = await logIn(web, { token: "x", next: '/"><script>alert(1)</script>' });
  assertEquals([wrong.status, wrong.cookie], [401, null]);
  assertStringIncludes(wrong.text, "Wrong token.");
  assert(!wrong.text.includes("<script>"), wrong.text);
  assertEquals((await logIn(web, { token: TOKEN }, { "sec-fetch-site": "cross-site" })).status, 400);
  assertEquals((await logIn(web, { token: TOKEN, x: "x".repeat(10_000) })).status, 400);
  assertEquals((await web.ask("/login", { method: "PUT" })).headers.get("allow"), "GET, HEAD, POST");
});

Deno.test("whoever sends many wrong tokens must wait, but not who has logged in from the same address", async () => {
  using dir = tempDir();
  const ways: readonly ((web: Web, token: string) => Promise<number>)[] = [
    async (web, token) => (await logIn(web, { token })).status,
    async (web, token) => (await web.ask("/api/status", { headers: { authorization: `Bearer ${token}` } })).status,
  ];
  for (const way of ways) {
    await using web = start(dir);
    const [cookie] = (await logIn(web, { token: TOKEN })).cookie!.split(";");
    const statuses: number[] = [];
    for (let round = 0; round < 40; round++) statuses.push(await way(web, `guess-${round}`));
    assertEquals([statuses[0], statuses.at(-1), statuses.lastIndexOf(401) < 35], [401, 429, true], `${statuses}`);
    assertEquals(await way(web, TOKEN), 429);
    assertEquals((await web.ask("/", { headers: { cookie: cookie! } })).status, 200);
    const page = await web.ask("/", { headers: { cookie: `${cookie}0` } });
    assertEquals([page.status, /<form .*Too many wrong tokens\. Try again/s.test(page.text)], [429, true]);
    assertEquals(web.count(/ WARN too many wrong tokens from 127\.0\.0\.1$/), 1);
  }
});

Deno.test("any address but a loopback one needs a token", async () => {
  using dir = tempDir();
  for (
    const listen of ["0.0.0.0:0", "[::]:0", "10.1.2.3:80", "example.org:80", "128.0.0.1:0", "[::ffff:127.0.0.1]:0"]
  ) {
    const { code, stderr } = await runTool("web/mod.ts", ["--status", dir.path, "--listen", listen], []);
    const sentence = `--listen ${listen} can be reached from other hosts: it needs --token-file`;
    assertEquals([code, stderr], [2, `ncolony-web: ${sentence} (try ncolony-web --help)\n`]);
  }
  const permissions = ["--allow-net", `--allow-read=${dir.path}`];
  await using web = new Web(["--status", dir.path, "--token-file", tokenFile(dir)], permissions, "0.0.0.0:0");
  assertEquals((await web.ask("/api/status")).status, 401);
});

Deno.test("web refuses a token that is short, odd or in a file that others may read, and does not show it", async () => {
  using dir = tempDir();
  const permissions = ["--allow-net=127.0.0.1", `--allow-read=${dir.path}`];
  const attempt = async (path: string) => {
    const argv = ["--status", dir.path, "--listen", "127.0.0.1:0", "--token-file", path];
    const { code, stderr } = await runTool("web/mod.ts", argv, permissions);
    assertEquals([code, stderr.includes("hunter2")], [1, false], stderr);
    return stderr;
  };
  assertMatch(await attempt(tokenFile(dir, "hunter2")), /: the token must have at least 16 characters$/m);
  assertMatch(await attempt(tokenFile(dir, "hunter2 hunter2 hunter2")), /must be of printable ASCII characters/);
  assertMatch(await attempt(tokenFile(dir, "hunter2".repeat(1000))), /must be at most 4096 bytes$/m);
  for (const mode of [0o644, 0o604, 0o620, 0o602, 0o666]) {
    const told = await attempt(tokenFile(dir, "hunter2-hunter2-hunter2", mode));
    assertMatch(told, /^ncolony-web: Cannot read the token in ".*": its mode is 06..; use 0600 or 0640$/m);
  }
  assertMatch(await attempt(dir.file("none")), /: .*no such file or directory$/m);
  assertMatch(await attempt(dir.path), /: not a regular file$/m);
  if (IS_ROOT) {
    const others = tokenFile(dir, "hunter2-hunter2-hunter2");
    Deno.chownSync(others, 12345, 12345);
    const argv = ["--status", dir.path, "--listen", "127.0.0.1:0", "--token-file", others];
    const { code, stderr } = await runTool("web/mod.ts", argv, [...permissions, "--allow-sys=uid"]);
    assertEquals([code, /owned by uid 12345$/m.test(stderr)], [1, true], stderr);
  }
  Deno.symlinkSync(tokenFile(dir, TOKEN, 0o640), dir.file("link"));
  const argv = ["--status", dir.path, "--token-file", dir.file("link")];
  await using web = new Web(argv, permissions);
  assertEquals((await web.ask("/api/status", { headers: { authorization: `bearer ${TOKEN}` } })).status, 200);
});
