import { assert, assertEquals } from "@std/assert";
import type { Answer } from "@ncolony/host";
import { tempDir } from "../helpers.ts";
import { type Request, World } from "./world.ts";

const GOOD: Answer = { type: "status", status: 200 };
const BAD: Answer = { type: "status", status: 500 };
const IMPOSSIBLE: Answer = { type: "impossible", reason: "no permission" };

Deno.test("HttpChecks asks after the grace and then every period, with the timeout of the config", async () => {
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
  // Late as it is, it asks at once; and a period later again.
  assertEquals([it.requests.length, it.log.lines], [1, []]);
  await it.answer(GOOD);
  assertEquals([it.requests.length, it.checks.due], [0, begin + 75_000]);
});

Deno.test("HttpChecks asks many at once in one call", async () => {
  using it = new World();
  for (let i = 0; i < 1000; i++) it.answering(`web${i}`);
  for (let period = 0; period < 3; period++) assertEquals(await it.round(GOOD, period === 0 ? 30 : 10), 1000);
  assertEquals(it.wakes, 3000);
});

Deno.test("HttpChecks asks for a restart after more bad answers in a row than are let pass, then begins with the grace", async () => {
  using it = new World();
  it.answering("web");
  await it.round(BAD, 30);
  await it.round(GOOD);
  await it.round(BAD);
  assertEquals(it.asked, []);
  await it.round({ type: "broken", reason: "connection refused" });
  assertEquals(it.takeAsked(), ["web"]);
  assertEquals(it.log.take(), [
    "WARN web: bad answer 1, of which 1 are let pass: status 500",
    "INFO web: answers well again (status 200)",
    "WARN web: bad answer 1, of which 1 are let pass: status 500",
    "WARN web: bad answer 2, of which 1 are let pass: connection refused",
    "WARN web: bad answers, the last one connection refused: asked for a restart",
  ]);
  assertEquals([await it.round(BAD, 29), await it.round(BAD, 1), it.asked], [0, 1, []]);
});

Deno.test("HttpChecks cuts a long name in what it tells", async () => {
  using it = new World();
  const name = "x".repeat(200);
  it.answering(name, { maxBad: 0 });
  await it.round(BAD, 30);
  const shown = `${"x".repeat(100)}…`;
  assertEquals(it.log.take(), [
    `WARN ${shown}: bad answer 1, of which 0 are let pass: status 500`,
    `WARN ${shown}: bad answers, the last one status 500: asked for a restart`,
  ]);
  assertEquals(it.takeAsked(), [name]);
});

Deno.test("HttpChecks holds for good what is expected", async () => {
  using it = new World();
  it.answering("web", { expect: 500, maxBad: 0 });
  await it.round(BAD, 30);
  assertEquals(it.asked, []);
  await it.round(GOOD);
  assertEquals(it.asked, ["web"]);
});

Deno.test("HttpChecks asks for the restart of a process once while the request is unread, whoever made it", async () => {
  using it = new World();
  for (const name of ["web", "db"]) it.answering(name, { maxBad: 0, grace: 0 });
  it.dir.write("messages/1", '{"type": "RESTART", "name": "db"}');
  await it.round(BAD, 0);
  for (let period = 0; period < 10; period++) await it.round(BAD);
  assertEquals(it.takeAsked().sort(), ["db", "web"]);
  await it.round(BAD);
  assertEquals(it.asked.sort(), ["db", "web"]);
});

Deno.test("HttpChecks asks no more often than the period while a request is unread, without a grace as well", async () => {
  using it = new World();
  it.answering("web", { maxBad: 0, grace: 0 });
  await it.round(BAD, 0);
  assertEquals(it.asked, ["web"]);
  let asked = 0;
  for (let tenth = 0; tenth < 300; tenth++) asked += await it.round(BAD, 0.1);
  assertEquals([asked, it.asked], [3, ["web"]]);
});

/** A directory of pid files, as a monitor keeps it. */
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

Deno.test("HttpChecks drops a restart that it could not ask for when the process was started again meanwhile", async () => {
  using pids = pidFiles();
  using it = new World(pids.path);
  it.answering("web", { maxBad: 0, grace: 0 });
  pids.start("web", it.clock.wall());
  Deno.renameSync(it.messages, it.dir.file("away"));
  await it.pass(0);
  await it.answer(BAD);
  await it.pass(1);
  assertEquals(it.log.count("WARN web: bad answer 1"), 1);
  assertEquals(it.log.count("ERROR cannot write to"), 1);
  pids.start("web", it.clock.wall());
  Deno.renameSync(it.dir.file("away"), it.messages);
  await it.pass(1);
  assertEquals(it.asked, []);
});

Deno.test("HttpChecks asks for no second restart in one life when the config changes meanwhile", async () => {
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

Deno.test("HttpChecks asks no more often than the period when the config changes all the time", async () => {
  using it = new World();
  let asked = 0;
  for (let second = 0; second < 30; second++) {
    it.answering("web", { grace: 0, maxBad: 100 + second });
    asked += await it.round(GOOD, 1);
  }
  assertEquals(asked, 3);
});

Deno.test("HttpChecks refuses a URL that nobody can be asked by, and a host that is none, without their values", async () => {
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
    'WARN a: its answers are not checked: "ncolony.httpcheck.headers.Host" is not a valid host',
  );
});

Deno.test("HttpChecks takes no end of a process for a bad answer, and asks nobody who does not run", async () => {
  using pids = pidFiles();
  using it = new World(pids.path);
  it.answering("web", { maxBad: 0, grace: 0 });
  assertEquals(await it.round(BAD, 10), 0);
  pids.start("web", it.clock.wall());
  await it.pass(10);
  await it.answer({ type: "broken", reason: "connection closed before an answer came" });
  pids.end("web");
  await it.pass(1);
  assertEquals([it.asked, it.log.count("WARN web")], [[], 0]);
  assertEquals(it.log.count("DEBUG web: its answer came too late"), 1);
});

Deno.test("HttpChecks tries again to ask for a restart when it could not, unless the process answers well again", async () => {
  for (const [answer, expected] of [[BAD, ["web"]], [GOOD, []]] as const) {
    using it = new World();
    it.answering("web", { maxBad: 0, grace: 0 });
    Deno.renameSync(it.messages, it.dir.file("away"));
    await it.round(BAD, 0);
    await it.round(BAD);
    assertEquals(it.log.count("ERROR cannot write to"), 1);
    await it.round(answer);
    Deno.renameSync(it.dir.file("away"), it.messages);
    await it.pass(1);
    assertEquals(it.asked, [...expected]);
  }
});

for (const [what, change] of [["changes", "answering"], ["goes", "drop"]] as const) {
  Deno.test(`HttpChecks aborts the request where a config ${what}, and hears no late answer to it`, async () => {
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

Deno.test("HttpChecks forgets the bad answers of a config that changes, and a restart that it could not ask for", async () => {
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

Deno.test("HttpChecks says once why it cannot ask, counts that neither as good nor as bad, and goes on", async () => {
  using it = new World();
  it.answering("web");
  await it.round(BAD, 30);
  for (let period = 0; period < 5; period++) assertEquals(await it.round(IMPOSSIBLE), 1);
  assertEquals([it.asked, it.log.count("ERROR web: cannot be asked: no permission")], [[], 1]);
  await it.round(BAD);
  assertEquals(it.takeAsked(), ["web"]);
  await it.round(IMPOSSIBLE, 30);
  assertEquals(it.log.count("cannot be asked"), 2, "said again after it was gone");
});

Deno.test("HttpChecks says what is wrong with a section, without its values, and asks nothing", async () => {
  using it = new World();
  it.answering("web", { url: "http://hunter2:port/" });
  it.answering("db", { period: "hunter2" });
  it.answering("dns");
  assertEquals(await it.round(GOOD, 60), 1);
  const number = "must be a number from 0.01 to 1000000000: got a string";
  assertEquals(it.log.lines, [
    'WARN web: its answers are not checked: "ncolony.httpcheck.url" is not a valid URL',
    `WARN db: its answers are not checked: "ncolony.httpcheck.period" ${number}`,
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
