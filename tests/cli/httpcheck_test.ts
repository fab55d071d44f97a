import { assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import { Checker, Ground } from "./checkers.ts";
import { asked, Server } from "./servers.ts";

Deno.test("httpcheck accepts 200 to 399, follows no redirect, and asks for one restart after more than maxBad others", async () => {
  const statuses: Record<string, number> = { "/ok": 200, "/empty": 204, "/moved": 302, "/same": 304, "/bad": 500 };
  await using server = new Server((path, count) => {
    if (path === "/flaky") return new Response(null, { status: count % 3 === 1 ? 500 : 200 });
    const headers = { location: "/target" };
    return new Response(null, { status: statuses[path] ?? 404, headers });
  });
  using ground = new Ground();
  const paths = [...Object.keys(statuses), "/missing", "/flaky"];
  for (const path of paths) ground.put(path.slice(1), asked(server.url(path), { maxBad: 2 }));
  await using checker = new Checker("httpcheck", ground);
  await checker.asked("bad");
  await checker.asked("missing");
  await checker.until("all were asked often", () => paths.every((path) => server.count(path) >= 8));
  assertEquals(ground.requests().sort(), ["bad", "missing"]);
  assertEquals(server.count("/target"), 0);
  const lines = checker.lines.filter((line) => line.includes(" bad: ")).slice(0, 4);
  for (const count of [1, 2, 3]) {
    assertMatch(
      lines[count - 1]!,
      new RegExp(
        `WARN bad: bad response ${count} \\(restart after more than 2 in a row\\): (status 500|no response within .*)$`,
      ),
    );
  }
  assertMatch(
    lines[3]!,
    /WARN bad: too many bad responses \(last: (status 500|no response within .*)\): asked for a restart$/,
  );
  // More than two bad answers, but not in a row.
  await checker.waitFor(/INFO flaky: good response again \(status 200\)$/, 3);
});

Deno.test("httpcheck waits for the grace at the start, and again after each request was read", async () => {
  await using server = new Server(() => new Response(null, { status: 500 }));
  using ground = new Ground();
  await using checker = new Checker("httpcheck", ground);
  await checker.ready();
  const start = performance.now();
  ground.put("web", asked(server.url("/"), { period: 0.4, grace: 2, maxBad: 1 }));
  await checker.asked("web");
  assertEquals(ground.take(), 1);
  await checker.asked("web", 2);
  const times = [start, ...server.asks.get("/")!];
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  assertEquals(gaps.length, 4);
  for (const index of [0, 2]) assertGreaterOrEqual(gaps[index]!, 800);
  // The grace begins when the request is read, so nothing is asked until then.
  ground.put("other", asked(server.url("/other"), { period: 0.2, grace: 0, expect: "any" }));
  await checker.until("another one is asked on", () => server.count("/other") >= 12);
  assertEquals([server.count("/"), checker.timesAsked("web"), ground.take()], [4, 2, 1]);
  await checker.until("it is asked again", () => server.count("/") > 4);
});

Deno.test("expect defines which statuses are good", async () => {
  await using server = new Server((path) => new Response(null, { status: Number(path.slice(1)) }));
  using ground = new Ground();
  const cases = {
    one: [503, 503, true],
    other: [503, 200, false],
    list: [[401, 404], 404, true],
    unlisted: [[401, 404], 200, false],
    any: ["any", 500, true],
  } as const;
  for (const [name, [expect, status]] of Object.entries(cases)) {
    ground.put(name, asked(server.url(`/${status}`), { expect }));
  }
  await using checker = new Checker("httpcheck", ground);
  for (const name of ["other", "unlisted"]) await checker.asked(name);
  await checker.until("all were asked often", () => [200, 404, 500, 503].every((it) => server.count(`/${it}`) >= 6));
  assertEquals(ground.requests().sort(), ["other", "unlisted"]);
});

Deno.test("httpcheck starts again after a config change, and does not ask a removed or disabled process", async () => {
  await using server = new Server((path) => new Response(null, { status: path === "/bad" ? 500 : 200 }));
  using ground = new Ground();
  for (const name of ["gone", "off", "stays"]) ground.put(name, asked(server.url(`/${name}`)));
  ground.put("web", asked(server.url("/bad"), { maxBad: 1e9 }));
  await using checker = new Checker("httpcheck", ground);
  await checker.waitFor(/web: bad response 2 /);
  ground.put("web", { ...asked(server.url("/bad"), { maxBad: 1e9 }), version: 2 });
  await checker.waitFor(/web: bad response 1 /, 2);
  await checker.waitFor(/web: bad response 2 /, 2);
  ground.put("web", asked(server.url("/other")));
  ground.put("off", { ...asked(server.url("/off")), "ncolony.monitor": { enabled: false } });
  ground.remove("gone");
  await checker.until("web is asked anew", () => server.count("/other") > 0);
  // The web config changed last, so the scan that found it, or an earlier one, found the others.
  ground.put("fence", asked(server.url("/fence")));
  await checker.until("a fence is asked", () => server.count("/fence") > 0);
  const counts = ["/gone", "/off", "/bad"].map((path) => server.count(path));
  const before = server.count("/stays");
  await checker.until("time passed", () => server.count("/stays") >= before + 3);
  assertEquals(["/gone", "/off", "/bad"].map((path) => server.count(path)), counts);
  assertEquals(ground.requests(), []);
});

Deno.test("httpcheck asks for a restart once the messages directory is back, if the process still answers badly", async () => {
  await using server = new Server((path, count) => {
    return new Response(null, { status: path === "/recovers" && count > 1 ? 200 : 500 });
  });
  using ground = new Ground();
  await using checker = new Checker("httpcheck", ground);
  await checker.ready();
  Deno.removeSync(ground.messages);
  ground.put("well", asked(server.url("/recovers"), { maxBad: 0 }));
  ground.put("web", asked(server.url("/"), { maxBad: 0 }));
  await checker.waitFor(
    /ERROR cannot request restarts, because writing to .*messages failed: no such file or directory$/,
  );
  await checker.until("both are asked on", () => server.count("/") >= 3 && server.count("/recovers") >= 3);
  assertEquals([checker.timesAsked("web"), checker.count(/ERROR/)], [0, 1]);
  Deno.mkdirSync(ground.messages);
  await checker.asked("web");
  assertEquals(ground.requests(), ["web"]);
});

Deno.test("httpcheck logs an invalid section once, by its field, and asks the others", async () => {
  await using server = new Server(() => new Response());
  using ground = new Ground();
  const bad = (check: object) => ({ url: "http://127.0.0.1/", period: 1, timeout: 1, grace: 1, maxBad: 1, ...check });
  const sections = {
    whole: [[], "ncolony.httpcheck"],
    urlless: [bad({ url: undefined }), "ncolony.httpcheck.url"],
    ftp: [bad({ url: "ftp://127.0.0.1/" }), "ncolony.httpcheck.url"],
    hostless: [bad({ url: "http://" }), "ncolony.httpcheck.url"],
    hasty: [bad({ period: 0 }), "ncolony.httpcheck.period"],
    wordy: [bad({ timeout: "1" }), "ncolony.httpcheck.timeout"],
    negative: [bad({ grace: -1 }), "ncolony.httpcheck.grace"],
    half: [bad({ maxBad: 0.5 }), "ncolony.httpcheck.maxBad"],
    strange: [bad({ expect: "good" }), "ncolony.httpcheck.expect"],
  } as const;
  for (const [name, [check]] of Object.entries(sections)) {
    ground.put(name, { args: ["cat"], "ncolony.httpcheck": check });
  }
  ground.put("web", asked(server.url("/web")));
  await using checker = new Checker("httpcheck", ground);
  await checker.until("web is asked", () => server.count("/web") >= 3);
  for (const [name, [, field]] of Object.entries(sections)) {
    const told = checker.lines.filter((line) => line.includes(` ${name}: `));
    assertEquals(told.length, 1, name);
    assertMatch(told[0]!, new RegExp(`WARN ${name}: HTTP responses are not checked: .*"${field}"`));
  }
  assertEquals(ground.requests(), []);
});
