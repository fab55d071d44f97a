import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { Program } from "../cli/program.ts";
import { StatusColony } from "../cli/status_files.ts";
import { sh, signalIfThere } from "../cli/tools.ts";
import { Web } from "../cli/web.ts";
import { Random } from "../core/random.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { browserTest, shows } from "./browser.ts";

const SLEEP = { args: ["sleep", "1000"] };
const CRASH = { args: sh("echo 'oops <b>' >&2; exit 3") };
const TALK = { args: sh("i=0; while :; do i=$((i+1)); echo line $i; sleep 0.3; done") };

/** A colony with logs, whose restart delay is so long that nothing changes by itself. */
class LoggedColony extends StatusColony {
  readonly place: TempDir;
  constructor(config: Readonly<Record<string, unknown>>, args: readonly string[] = []) {
    const place = tempDir();
    super({ config, args: ["-m", "600", "--logs", place.file("logs"), "--log-time", ...args] }, place);
    this.place = place;
  }
  /** Starts a server of its page. */
  serve(...argv: string[]): Web {
    return Web.of({ status: this.status, dir: this.place }, ...argv);
  }
}

/** Returns the names in the table, in their order. */
async function names(page: { locator(selector: string): { allTextContents(): Promise<string[]> } }): Promise<string[]> {
  return await page.locator(".row .c-name").allTextContents();
}

/** Waits until a page has a title that matches: it is set after the picture was painted. */
async function isTitled(page: { title(): Promise<string> }, pattern: RegExp): Promise<void> {
  await until(`the title matches ${pattern}`, async () => pattern.test(await page.title()));
}

browserTest("the page shows what is wrong first, and a change without a reload", async (open) => {
  await using colony = new LoggedColony({ web: SLEEP, zcrash: CRASH, db: SLEEP });
  await colony.inState("zcrash", "waiting");
  const { pid } = await colony.inState("web", "running");
  await colony.inState("db", "running");
  await using web = colony.serve();
  const { page, origins } = await open(await web.url());
  await shows(page, ".live", /● live/);
  assertEquals(await names(page), ["zcrash", "db", "web"]);
  await shows(page, ".row.wrong", /zcrash.*waiting.*waits \d+m( \d+s)? \(exit code 3\)/s);
  await shows(page, ".banner.bad", /2 of 3 run; zcrash waits/);
  await isTitled(page, /^✗ 1 wrong · 127\.0\.0\.1 · NColony$/);
  await page.evaluate("globalThis.isSame = true");
  signalIfThere(pid!, "SIGKILL");
  await shows(page, ".row:has-text('web') .c-starts", /^2$/);
  await shows(page, ".row:has-text('web') .c-exit", /^SIGKILL$/);
  await shows(page, ".happened summary", /web (?:was started as pid \d+|was ended by SIGKILL)/);
  colony.remove("zcrash");
  await page.locator(".row:has-text('zcrash')").waitFor({ state: "detached" });
  await shows(page, ".banner.good", /2 of 2 run/);
  await isTitled(page, /^127\.0\.0\.1 · NColony$/);
  assertEquals(await page.evaluate("globalThis.isSame"), true);
  assertEquals([...origins], [(await web.url("")).replace(/\/$/, "")]);
});

browserTest("the page can be used with the keyboard alone", async (open) => {
  await using colony = new LoggedColony({ web: SLEEP, web2: SLEEP, crash: CRASH, db: SLEEP });
  for (const name of ["web", "web2", "db"]) await colony.inState(name, "running");
  await colony.inState("crash", "waiting");
  await using web = colony.serve();
  const { page } = await open(await web.url());
  await shows(page, ".row", /crash/);
  await page.keyboard.press("/");
  await page.keyboard.type("running WEB");
  await shows(page, ".count", /^2 of 4 processes$/);
  assertEquals(await names(page), ["web", "web2"]);
  assertMatch(page.url(), /\?q=running\+WEB$/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assertEquals(await page.evaluate("document.activeElement.textContent"), "web2");
  const outline = "getComputedStyle(document.activeElement).outlineStyle";
  assertEquals(await page.evaluate(outline), "solid", "the focus can be seen");
  await page.keyboard.press("Enter");
  await shows(page, "h1", /^web2$/);
  await page.goBack();
  await shows(page, ".count", /^2 of 4 processes$/);
  assertEquals(await page.inputValue("#search"), "running WEB");
  await page.keyboard.press("/");
  await page.keyboard.press("Escape");
  await shows(page, ".count", /^4 processes$/);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await shows(page, ".count", /^1 of 4 processes$/);
  await page.reload();
  await shows(page, ".count", /^1 of 4 processes$/);
  assertEquals(await names(page), ["crash"]);
  await page.locator("input[type=checkbox]").press("Space");
  const sort = page.locator("[role=columnheader] button", { hasText: "Name" });
  await sort.press("Enter");
  assertEquals(await names(page), ["crash", "db", "web", "web2"]);
  await sort.press("Enter");
  assertEquals(await names(page), ["web2", "web", "db", "crash"]);
  assertEquals(await page.getAttribute("[role=columnheader].c-name", "aria-sort"), "descending");
  await page.locator("[role=columnheader] button", { hasText: "Starts" }).press("Enter");
  assertEquals(await page.getAttribute("[role=columnheader].c-starts", "aria-sort"), "descending");
  await page.reload();
  await shows(page, ".live", /● live/);
  await page.keyboard.press("j");
  assertEquals(await page.evaluate("document.activeElement.closest('.c-name') !== null"), true);
});

browserTest(
  "the page of a process shows why, what happened, its last words and its log, which it follows",
  async (open) => {
    await using colony = new LoggedColony({ talk: TALK, crash: CRASH });
    await colony.inState("crash", "waiting");
    await colony.inState("talk", "running");
    await using web = colony.serve();
    const { page } = await open(await web.url("/process/crash"));
    await shows(page, ".now", /waiting.*waits \d+m/s);
    await shows(page, "section", /^Why\s*crash will start at \d{4}-/);
    await shows(page, ".stderr", /^oops <b>\s*$/);
    await shows(page, ".past li", /crash was started as pid \d+ \(start 1\), because the monitor started\.$/);
    await shows(page, ".log .line.bad", /Z E oops <b>$/);
    await shows(page, ".log .line.quiet", /end of start 1: exit code 3/);
    await page.locator(".chart canvas").first().waitFor();
    await shows(page, "section:has(.charts)", /since \d{4}-.*Z, when ncolony-web started\./);
    await page.click("text=← All processes");
    await page.click(".row bdi:text-is('talk')");
    await shows(page, ".log .line", /line 1$/);
    const last = async () => Number(/\d+$/.exec((await page.locator(".log .line").allTextContents()).at(-1)!)![0]);
    const before = await last();
    await shows(page, ".log .line", new RegExp(`line ${before + 3}$`));
    const { pid } = await colony.inState("talk", "running");
    signalIfThere(pid!, "SIGKILL");
    await shows(page, ".past li", /talk was ended by SIGKILL/);
    await shows(page, "section", /Why\s*talk has been running for/);
    const { page: other } = await open(await web.url("/process/tlak"));
    await shows(other, ".banner.bad", /There is no "tlak": did you mean "talk"\?/);
  },
);

/** Names that try to be more than text, up to the longest that there are. */
const NAMES = [
  "<script>globalThis.pwned=1</script>".replaceAll("/", "\u2215"),
  "<img src=x onerror=globalThis.pwned=1>",
  "\u202eevil\u202c \u2066x",
  "${globalThis.pwned=1}{{7*7}}",
  "\u05d0\u05d1\u05d2 web",
  "日".repeat(85),
  `"'&lt;%2f..\\`,
  "__proto__",
];

browserTest("names and lines are text: nothing of them runs, moves or turns anything around", async (open) => {
  const lines = [
    "<script>globalThis.pwned=1</script>",
    "\u001b[2J\u001b[31mred",
    "\u202eknil\u202c",
    "a\tb",
    "<b>bold</b>",
  ];
  const script = `printf '%s\\n' "$@" >&2; sleep 0.1; exit 3`;
  const config = { args: ["sh", "-c", script, "sh", ...lines] };
  await using colony = new LoggedColony({});
  for (const name of NAMES) {
    // The longest name leaves no room for an ending.
    Deno.writeTextFileSync(join(colony.config, "fresh.new"), JSON.stringify(config));
    Deno.renameSync(join(colony.config, "fresh.new"), join(colony.config, name));
  }
  for (const name of NAMES) await colony.inState(name, "waiting");
  await using web = colony.serve();
  const { page } = await open(await web.url(), { viewport: { width: 360, height: 800 } });
  await page.locator(".row").nth(NAMES.length - 1).waitFor();
  const shown = await names(page);
  const escaped = NAMES.map((name) =>
    name.replaceAll(/[\u202e\u202c\u2066]/g, (it) => `\\u${it.charCodeAt(0).toString(16)}`)
  );
  assertEquals(shown.toSorted(), escaped.toSorted());
  assertEquals(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, "it fits");
  assertEquals(await page.locator(".row img, .row script, .row b").count(), 0);
  for (const name of NAMES) {
    await page.goto(await web.url(`/process/${encodeURIComponent(name)}`));
    await shows(page, ".stderr", /red/);
    // The name of a log is longer than that of the process, so the longest has none.
    const selectors = name.length === 85 ? [".stderr"] : [".stderr", ".log"];
    for (const selector of selectors) {
      await shows(page, selector, /red/);
      const text = await page.locator(selector).innerText();
      for (
        const line of [
          "<script>globalThis.pwned=1</script>",
          "\\u001b[2J\\u001b[31mred",
          "\\u202eknil\\u202c",
          "<b>bold</b>",
        ]
      ) {
        assert(text.includes(line), `${selector} ${text}`);
      }
    }
    assertEquals(await page.locator("main script, main img, main b").count(), 0);
    assertEquals(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, `it fits: ${name}`);
    assertEquals(await page.evaluate("globalThis.pwned"), undefined);
  }
});

browserTest("the page says when it is not connected, and resumes", async (open) => {
  await using colony = new LoggedColony({ web: SLEEP });
  await colony.inState("web", "running");
  let url = "";
  const shown = await (async () => {
    await using web = colony.serve();
    url = await web.url();
    const { page } = await open(url);
    await shows(page, ".live", /● live/);
    return page;
  })();
  await shows(
    shown,
    ".banner.top",
    /Lost the connection \d+ s ago: what is shown may be out of date\. Retrying in \d+ s\./,
  );
  await isTitled(shown, /^⚠ /);
  await shows(shown, ".live", /○ not live/);
  colony.put("more", SLEEP);
  await colony.inState("more", "running");
  const permissions = ["--allow-net=127.0.0.1", "--allow-read"];
  await using _web = new Web(["--status", colony.status], permissions, new URL(url).host);
  await shows(shown, ".live", /● live/);
  await shows(shown, ".row", /more/);
  assertEquals(await shown.locator(".banner.top").count(), 0);
});

browserTest("an empty colony, a monitor that is gone, and no status at all look like what they are", async (open) => {
  await using colony = new LoggedColony({});
  await using web = colony.serve();
  const { page } = await open(await web.url());
  await shows(page, ".plain", /There are no processes\./);
  await shows(page, ".banner.good", /0 of 0 run/);
  colony.put("web", SLEEP);
  const { pid } = await colony.inState("web", "running");
  await shows(page, ".row", /● running/);
  colony.process.kill("SIGKILL");
  await colony.process.status;
  try {
    await shows(page, ".banner.bad", /The monitor is not running, and did not shut down cleanly: .* It was last seen/);
    await shows(page, ".row.wrong .c-state", /\? unknown/);
    assertEquals(await page.locator(".row .c-pid").textContent(), "");
    await isTitled(page, /^✗ 1 wrong/);
    await page.click(".row bdi:text-is('web')");
    await shows(page, ".banner.bad", /The monitor is not running/);
    await shows(page, "section", /Why\s*(?!web has been running)/);
    await isTitled(page, /^✗ web · NColony$/);
    await page.goBack();
    Deno.removeSync(colony.status, { recursive: true });
    await shows(page, ".banner.bad", /There is no status in ".*"\. Is a monitor running with --colony or --status\?/);
    await isTitled(page, /^✗ 127\.0\.0\.1 · NColony$/);
    assertEquals(await page.locator(".plain").count(), 0);
  } finally {
    signalIfThere(pid!, "SIGKILL");
  }
});

browserTest("whoever has the token logs in, and sees the page that he wanted", async (open) => {
  await using colony = new LoggedColony({ web: SLEEP });
  await colony.inState("web", "running");
  const token = colony.place.write("token", "correct-horse-battery-staple");
  Deno.chmodSync(token, 0o600);
  const permissions = ["--allow-net=127.0.0.1", "--allow-read"];
  await using web = new Web(["--status", colony.status, "--token-file", token], permissions);
  const { page } = await open(await web.url("/?q=web&sort=name"));
  await page.fill("#token", "wrong");
  await page.keyboard.press("Enter");
  await shows(page, "[role=alert]", /Wrong token\./);
  await page.fill("#token", "correct-horse-battery-staple");
  await page.keyboard.press("Enter");
  await shows(page, ".count", /^1 process$/);
  assertMatch(page.url(), /\/\?q=web&sort=name$/);
  assertEquals(await page.evaluate("document.cookie"), "");
  await page.click(".row a");
  await shows(page, ".now", /running/);
  const { host } = new URL(await web.url());
  await web.stop();
  Deno.writeTextFileSync(token, "another-token-of-this-server");
  await using _web = new Web(["--status", colony.status, "--token-file", token], permissions, host);
  await shows(page, ".banner.top", /Your session has expired\./);
  await page.click("text=Log in");
  await page.locator("#token").waitFor();
});

browserTest(
  "the colonies of peers are in the same table, and those that cannot be reached are marked",
  async (open) => {
    await using here = new LoggedColony({ web: SLEEP });
    await using there = new LoggedColony({ db: CRASH });
    await here.inState("web", "running");
    await there.inState("db", "waiting");
    await using peer = there.serve();
    const url = (await peer.url("")).replace(/\/$/, "");
    const argv = ["--status", here.status, "--peer", `rack2=${url}`, "--peer", "rack3=http://127.0.0.1:9"];
    await using web = new Web(argv, ["--allow-net=127.0.0.1", "--allow-read"]);
    const { page } = await open(await web.url());
    await shows(page, ".row.wrong", /rack2\s*db/);
    await shows(page, ".row", /127\.0\.0\.1\s*web/);
    await shows(page, ".banner.bad", /rack3: unreachable for \d+ s/);
    await shows(page, ".banner.bad", /rack2: 0 of 1 run; db waits/);
    await page.click(".row bdi:text-is('db')");
    await shows(page, "h1", /db on rack2/);
    await shows(page, ".stderr", /^oops <b>\s*$/);
    await shows(page, ".log .line", /oops <b>$/);
    await peer.stop();
    await shows(page, ".banner.bad", /rack2: unreachable for .* Showing its last known state\./);
    await page.locator(".now.stale").waitFor();
    await page.click("text=← All processes");
    await shows(page, ".banner.bad", /rack2: unreachable for .* Showing its last known state\./);
    await shows(page, ".row.stale", /db/);
  },
);

/** Writes the status of a process as a monitor does. */
function writeStatus(directory: string, name: string, incarnation: number, more: object = {}): void {
  const at = new Date(Date.now() - 100_000).toISOString();
  const status = {
    version: 1,
    name,
    state: "running",
    since: at,
    pid: 1,
    incarnation,
    starts: incarnation,
    started: at,
  };
  Deno.writeTextFileSync(join(directory, ".fresh.new"), JSON.stringify({ ...status, threshold: 1, ...more }));
  Deno.renameSync(join(directory, ".fresh.new"), join(directory, name));
}

/** Serves the statuses in a directory, as if a monitor lived. */
function serveStatuses(dir: TempDir, stack: AsyncDisposableStack): Web {
  dir.write(".lock", "");
  stack.use(new Program(["flock", "-x", "--no-fork", dir.file(".lock"), "sleep", "1000"]));
  return stack.use(new Web(["--status", dir.path], ["--allow-net=127.0.0.1", `--allow-read=${dir.path}`]));
}

browserTest("whatever comes, goes and changes, the rows are in order, each once, and keep the focus", async (open) => {
  using dir = tempDir();
  const starts = new Map<string, number>();
  const random = new Random(7);
  const touch = (name: string, count: number | null) => {
    if (count === null) {
      if (starts.delete(name)) Deno.removeSync(dir.file(name));
    } else {
      starts.set(name, count);
      writeStatus(dir.path, name, count);
    }
  };
  for (let index = 0; index < 130; index++) touch(`p${index}`, 1 + random.below(4));
  await using stack = new AsyncDisposableStack();
  const { page } = await open(await serveStatuses(dir, stack).url("/?sort=starts"));
  const isInOrder = async (round: string) => {
    const order = [...starts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
    await until(`the rows are in order ${round}`, async () => (await names(page)).join() === order.join());
    const counts = await page.locator(".row .c-starts").allTextContents();
    assertEquals(counts, order.map((name) => `${starts.get(name)}`), round);
  };
  await isInOrder("at first");
  await page.locator(".c-name a", { hasText: /^p77$/ }).focus();
  for (let round = 0; round < 20; round++) {
    for (let change = 0; change < 12; change++) {
      const name = `p${random.below(160)}`;
      touch(name, name !== "p77" && random.chance(0.4) ? null : 1 + random.below(4));
    }
    // The last group comes and goes.
    touch("p77", round % 2 === 0 ? 1 : 9);
    await isInOrder(`round ${round}`);
    assertEquals(await page.evaluate("document.activeElement.textContent"), "p77");
  }
  const ups = () => page.locator(".row .c-up").allTextContents();
  const before = await ups();
  await until("time goes on in every row", async () => (await ups()).every((up, row) => up !== before[row]));
});

browserTest("a page that is loaded again, or gone back to, is scrolled to where it was", async (open) => {
  using dir = tempDir();
  for (let index = 0; index < 300; index++) writeStatus(dir.path, `p${index}`, 1);
  await using stack = new AsyncDisposableStack();
  const { page } = await open(await serveStatuses(dir, stack).url());
  const rows = page.locator(".row");
  const isScrolled = async (what: string, path: string) => {
    await until(what, async () => Math.abs(await page.evaluate("scrollY") as number - 6000) < 300);
    assertEquals([new URL(page.url()).pathname, await rows.count()], [path, 300]);
  };
  await rows.nth(299).waitFor({ state: "attached" });
  await page.evaluate("scrollTo(0, 6000)");
  await page.reload();
  await isScrolled("it is loaded again", "/");
  const { promise, resolve } = Promise.withResolvers<void>();
  await page.route("**/api/colonies", async (route) => {
    await promise;
    await route.continue();
  });
  await page.reload();
  // The page does not wait long for its rows.
  await page.locator("h1").waitFor();
  assertEquals(await rows.count(), 0);
  resolve();
  await isScrolled("the rows have come", "/");
  await page.evaluate(
    "[...document.querySelectorAll('.c-name a')].find((a) => a.getBoundingClientRect().top > 50).click()",
  );
  await page.locator(".facts").waitFor();
  await page.goBack();
  await isScrolled("it is gone back to", "/");
  await page.goForward();
  await page.locator(".facts").waitFor();
  await page.reload();
  await page.locator(".facts").waitFor();
  await page.goBack();
  await isScrolled("it is gone back to after the other page was loaded again", "/");
});

browserTest("the page offers to load another version of itself", async (open) => {
  await using colony = new LoggedColony({ web: SLEEP });
  await colony.inState("web", "running");
  await using web = colony.serve();
  const { page } = await open(await web.url());
  await shows(page, ".live", /● live/);
  assertEquals(await page.locator(".banner.top").count(), 0);
  await page.route("**/events*", (route) => {
    const hello = { version: 1, boot: "x", count: 0, now: Date.now(), page: "/assets/0/", all: true };
    return route.fulfill({
      contentType: "text/event-stream",
      body: `event: hello\ndata: ${JSON.stringify(hello)}\n\n`,
    });
  });
  await page.reload();
  await shows(page, ".banner.top", /newer version of this page/);
  await page.evaluate("globalThis.isOld = true");
  await page.click(".row a");
  await page.locator(".facts").waitFor();
  assertEquals(await page.evaluate("globalThis.isOld"), undefined, "a link loads it, too");
  await shows(page, ".banner.top", /newer version of this page/);
  await page.unroute("**/events*");
  await page.click("text=Reload");
  await page.locator(".facts").waitFor();
  await page.locator(".banner.top").waitFor({ state: "detached" });
});

browserTest(
  "1,000 rows are all there, are only drawn where they can be seen, and a change draws one of them",
  async (open) => {
    using dir = tempDir();
    const all = Array.from({ length: 1000 }, (_, index) => `process-${`${index}`.padStart(4, "0")}`);
    for (const name of all) writeStatus(dir.path, name, 1);
    await using stack = new AsyncDisposableStack();
    const { page } = await open(await serveStatuses(dir, stack).url());
    await page.locator(".row").nth(999).waitFor({ state: "attached" });
    assertEquals(await names(page), all);
    const drawn = `[...document.querySelectorAll(".row .c-state")]
    .filter((cell) => cell.checkVisibility({ contentVisibilityAuto: true })).length`;
    assertLess(await page.evaluate(drawn) as number, 200);
    // To look for text in rows that are not drawn takes long, so the page itself waits for it.
    const changed = page.evaluate(`new Promise((resolve) => {
    const touched = new Set();
    new MutationObserver((records) => records.forEach(({ target }) => {
      const cell = (target.nodeType === 1 ? target : target.parentElement).closest("[role=cell]");
      const row = cell?.closest(".row");
      if (!row || cell.className === "c-up") return;
      touched.add(row.querySelector(".c-name").textContent);
      if (row.querySelector(".c-starts").textContent === "2") setTimeout(() => resolve([...touched].join()), 500);
    })).observe(document.querySelector(".table"), { subtree: true, childList: true, characterData: true });
  })`);
    await page.evaluate("1");
    writeStatus(dir.path, "process-0500", 2);
    assertEquals(await changed, "process-0500");
    await page.keyboard.press("/");
    await page.keyboard.type("0999");
    await shows(page, ".count", /^1 of 1000 processes$/);
  },
);
