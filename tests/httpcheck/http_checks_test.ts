import { assert, assertEquals } from "@std/assert";
import type { Answer } from "@ncolony/host";
import { tempDir } from "../helpers.ts";
import { type Request, World } from "./world.ts";

const GOOD: Answer = { type: "status", status: 200 };
const BAD: Answer = { type: "status", status: 500 };
const IMPOSSIBLE: Answer = { type: "impossible", reason: "no permission" };

Deno.test("HttpChecks sends a request after the grace period, then every period, with the timeout of the config", async () => {
  using it = new World();
  it.answering("web");
  it.want(it.checks, "db", {});
  const begin = it.clock.now();
  assertEquals(it.checks.due, begin + 30_000);
  await it.pass(29);
  assertEquals(it.requests, []);
  await it.pass(1);
  assertEquals(it.requests.map(({ url, timeoutMs }) => [url, timeoutMs]), [["http://web/?hunter2", 3000]]);
  assertEquals(it.checks.due, Infinity, "nothing is due while the answer is waited for");
  await it.pass(2);
  await it.answer(GOOD);
  assertEquals([it.checks.due, it.wakes], [begin + 40_000, 1]);
  await it.pass(8);
  assertEquals(it.requests.length, 1);
  await it.pass(25);
  assertEquals(it.requests.length, 1, "never two at once");
  await it.answer(GOOD);
  // The next request is late, so it is sent at once, and another one a period later.
  assertEquals([it.requests.length, it.log.lines], [1, []]);
  await it.answer(GOOD);
  assertEquals([it.requests.length, it.checks.due], [0, begin + 75_000]);
});

Deno.test("HttpChecks sends many requests in one call", async () => {
  using it = new World();
  for (let i = 0; i < 1000; i++) it.answering(`web${i}`);
  for (let period = 0; period < 3; period++) assertEquals(await it.round(GOOD, period === 0 ? 30 : 10), 1000);
  assertEquals(it.wakes, 3000);
});

Deno.test("HttpChecks requests a restart after more than maxBad bad answers in a row, then starts a grace period", async () => {
  using it = new World();
  it.answering("web");
  await it.round(BAD, 30);
  await it.round(GOOD);
  await it.round(BAD);
  assertEquals(it.asked, []);
  await it.round({ type: "broken", reason: "connection refused" });
  assertEquals(it.takeAsked(), ["web"]);
  assertEquals(it.log.take(), [
    "WARN web: bad response 1 (restart after more than 1 in a row): status 500",
    "INFO web: good response again (status 200)",
    "WARN web: bad response 1 (restart after more than 1 in a row): status 500",
    "WARN web: bad response 2 (restart after more than 1 in a row): connection refused",
    "WARN web: too many bad responses (last: connection refused): asked for a restart",
  ]);
  assertEquals([await it.round(BAD, 29), await it.round(BAD, 1), it.asked], [0, 1, []]);
});

Deno.test("HttpChecks shortens a long name in its log", async () => {
  using it = new World();
  const name = "x".repeat(200);
  it.answering(name, { maxBad: 0 });
  await it.round(BAD, 30);
  const shown = `${"x".repeat(100)}…`;
  assertEquals(it.log.take(), [
    `WARN ${shown}: bad response 1 (restart after more than 0 in a row): status 500`,
    `WARN ${shown}: too many bad responses (last: status 500): asked for a restart`,
  ]);
  assertEquals(it.takeAsked(), [name]);
});

Deno.test("HttpChecks accepts the expected status as good", async () => {
  using it = new World();
  it.answering("web", { expect: 500, maxBad: 0 });
  await it.round(BAD, 30);
  assertEquals(it.asked, []);
  await it.round(GOOD);
  assertEquals(it.asked, ["web"]);
});

Deno.test("HttpChecks requests the restart of a process only once while the request is unread, whoever made it", async () => {
  using it = new World();
  for (const name of ["web", "db"]) it.answering(name, { maxBad: 0, grace: 0 });
  it.dir.write("messages/1", '{"type": "RESTART", "name": "db"}');
  await it.round(BAD, 0);
  for (let period = 0; period < 10; period++) await it.round(BAD);
  assertEquals(it.takeAsked().sort(), ["db", "web"]);
  await it.round(BAD);
  assertEquals(it.asked.sort(), ["db", "web"]);
});

Deno.test("HttpChecks sends at most one request per period while a restart request is unread, even without a grace period", async () => {
  using it = new World();
  it.answering("web", { maxBad: 0, grace: 0 });
  await it.round(BAD, 0);
  assertEquals(it.asked, ["web"]);
  let asked = 0;
  for (let tenth = 0; tenth < 300; tenth++) asked += await it.round(BAD, 0.1);
  assertEquals([asked, it.asked], [3, ["web"]]);
});

/** Creates a directory of pid files, as a monitor does. */
function pidFiles():
  & { path: string; start: (name: string, wall: number) => void; end: (name: string) => void }
  & Disposable {
  const dir = tempDir();
  let pid = 100;
  dir.write(".lock", "");
  return {
    path: dir.path,
    start: (name, wall) => {
      Deno.utimeSync(dir.write(`.${name}`, `${++pid}`), new Date(wall), new Date(wall));
      Deno.renameSync(dir.file(`.${name}`), dir.file(name));
    },
    end: (name) => Deno.removeSync(dir.file(name)),
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

Deno.test("HttpChecks drops a restart request that it could not send if the process was restarted meanwhile", async () => {
  using pids = pidFiles();
  using it = new World(pids.path);
  it.answering("web", { maxBad: 0, grace: 0 });
  pids.start("web", it.clock.wall());
  Deno.renameSync(it.messages, it.dir.file("away"));
  await it.pass(0);
  await it.answer(BAD);
  await it.pass(1);
  assertEquals(it.log.count("WARN web: bad response 1"), 1);
  assertEquals(it.log.count("ERROR cannot request restarts"), 1);
  pids.start("web", it.clock.wall());
  Deno.renameSync(it.dir.file("away"), it.messages);
  await it.pass(1);
  assertEquals(it.asked, []);
});

Deno.test("HttpChecks requests no second restart before the process is restarted, even if the config changes", async () => {
  using pids = pidFiles();
  using it = new World(pids.path);
  it.answering("web", { maxBad: 0, grace: 0 });
  pids.start("web", it.clock.wall());
  await it.pass(0);
  await it.answer(BAD);
  await it.pass(1);
  assertEquals(it.takeAsked(), ["web"]);
  it.answering("web", { maxBad: 0, grace: 0, timeout: 2 });
  assertEquals([await it.round(BAD), await it.round(BAD), it.asked], [0, 0, []]);
  pids.start("web", it.clock.wall());
  assertEquals(await it.round(GOOD), 1);
});

Deno.test("HttpChecks sends at most one request per period even if the config keeps changing", async () => {
  using it = new World();
  let asked = 0;
  for (let second = 0; second < 30; second++) {
    it.answering("web", { grace: 0, maxBad: 100 + second });
    asked += await it.round(GOOD, 1);
  }
  assertEquals(asked, 3);
});

Deno.test("HttpChecks rejects an invalid URL or host without showing it", async () => {
  using it = new World();
  it.answering("web", { url: "http://hunter2:100%@web/" });
  for (const [name, host] of [["a", "tok en-hunter2"], ["b", ""], ["c", "a:99999"], ["d", "a/b"]] as const) {
    it.answering(name, { headers: { Host: host } });
  }
  it.answering("good", { headers: { host: "[::1]:80" } });
  assertEquals(await it.round(GOOD, 60), 1);
  assertEquals(it.log.lines.length, 5);
  assertEquals(it.log.count("hunter2"), 0);
  assertEquals(
    it.log.lines[1],
    'WARN a: HTTP responses are not checked: "ncolony.httpcheck.headers.Host" is not a valid host',
  );
});

Deno.test("HttpChecks does not count the exit of a process as a bad answer, and sends no request while it does not run", async () => {
  using pids = pidFiles();
  using it = new World(pids.path);
  it.answering("web", { maxBad: 0, grace: 0 });
  assertEquals(await it.round(BAD, 10), 0);
  pids.start("web", it.clock.wall());
  await it.pass(10);
  await it.answer({ type: "broken", reason: "connection closed before a response" });
  pids.end("web");
  await it.pass(1);
  assertEquals([it.asked, it.log.count("WARN web")], [[], 0]);
  assertEquals(it.log.count("DEBUG web: late response ignored"), 1);
});

Deno.test("HttpChecks retries a restart request that it could not send, unless the process answers well again", async () => {
  for (const [answer, expected] of [[BAD, ["web"]], [GOOD, []]] as const) {
    using it = new World();
    it.answering("web", { maxBad: 0, grace: 0 });
    Deno.renameSync(it.messages, it.dir.file("away"));
    await it.round(BAD, 0);
    await it.round(BAD);
    assertEquals(it.log.count("ERROR cannot request restarts"), 1);
    await it.round(answer);
    Deno.renameSync(it.dir.file("away"), it.messages);
    await it.pass(1);
    assertEquals(it.asked, [...expected]);
  }
});

for (const [what, change] of [["changes", "answering"], ["is removed", "drop"]] as const) {
  Deno.test(`HttpChecks aborts the request when a config ${what}, and ignores a late answer`, async () => {
    using it = new World();
    it.answering("web", { maxBad: 0 });
    await it.pass(30);
    const [{ signal, answer }] = it.requests.splice(0) as [Request];
    assertEquals(signal.aborted, false);
    if (change === "drop") it.drop(it.checks, "web");
    else it.answering("web", { maxBad: 0, url: "http://other/" });
    assertEquals(signal.aborted, true);
    answer(BAD);
    await it.pass(29);
    assertEquals([it.asked, it.requests.length, it.log.lines, it.wakes], [[], 0, [], 0]);
    await it.pass(1);
    assertEquals(it.requests.map(({ url }) => url), change === "drop" ? [] : ["http://other/"]);
  });
}

Deno.test("HttpChecks forgets bad answers when a config changes, and an unsent restart request when it is removed", async () => {
  using it = new World();
  it.answering("web");
  await it.round(BAD, 30);
  it.answering("web", { timeout: 2 });
  await it.round(BAD, 30);
  assertEquals(it.asked, []);
  Deno.renameSync(it.messages, it.dir.file("away"));
  await it.round(BAD);
  it.drop(it.checks, "web");
  Deno.renameSync(it.dir.file("away"), it.messages);
  await it.pass(10);
  assertEquals([it.asked, it.checks.due], [[], Infinity]);
});

Deno.test("HttpChecks logs once why it cannot send a request, counts that as neither good nor bad, and continues", async () => {
  using it = new World();
  it.answering("web");
  await it.round(BAD, 30);
  for (let period = 0; period < 5; period++) assertEquals(await it.round(IMPOSSIBLE), 1);
  assertEquals([it.asked, it.log.count("ERROR web: cannot check over HTTP: no permission")], [[], 1]);
  await it.round(BAD);
  assertEquals(it.takeAsked(), ["web"]);
  await it.round(IMPOSSIBLE, 30);
  assertEquals(it.log.count("cannot check over HTTP"), 2, "said again after it was gone");
});

Deno.test("HttpChecks logs the problem of a section without its values, and sends no request", async () => {
  using it = new World();
  it.answering("web", { url: "http://hunter2:port/" });
  it.answering("db", { period: "hunter2" });
  it.answering("dns");
  assertEquals(await it.round(GOOD, 60), 1);
  const number = "must be a number from 0.01 to 1000000000: got a string";
  assertEquals(it.log.lines, [
    'WARN web: HTTP responses are not checked: "ncolony.httpcheck.url" is not a valid URL',
    `WARN db: HTTP responses are not checked: "ncolony.httpcheck.period" ${number}`,
  ]);
});

Deno.test("HttpChecks aborts all requests when it is closed", async () => {
  using it = new World();
  for (const name of ["web", "db"]) it.answering(name, { maxBad: 0 });
  await it.pass(30);
  const requests = [...it.requests];
  it.checks.close();
  assert(requests.length === 2 && requests.every(({ signal }) => signal.aborted));
  await it.answer(BAD);
  assertEquals([it.asked, it.log.lines, it.checks.due], [[], [], Infinity]);
});
