/**
 * Takes the picture of the page in docs/ and README.md: runs a real colony, lets some of it go wrong, and shows it in
 * Chromium. `--chromium FILE` names the browser.
 */

import { parseArgs } from "@std/cli/parse-args";
import { dirname, fromFileUrl, join } from "@std/path";
import { chromium } from "playwright-core";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const { chromium: executablePath = "/usr/bin/chromium" } = parseArgs(Deno.args, { string: ["chromium"] }) as {
  chromium?: string;
};

/** The processes. Some run, some do not. */
const sleep = { args: ["sleep", "1000000"] };
const CONFIGS: Readonly<Record<string, unknown>> = {
  "api-1": sleep,
  "api-2": sleep,
  "sessions": sleep,
  "database": sleep,
  "frontend": sleep,
  "mailer": { args: ["sh", "-c", "echo 'mail.example: connection refused' >&2; exit 3"] },
  "reports": { ...sleep, "ncolony.monitor": { enabled: false } },
  "search": { args: ["/opt/search/bin/searchd", "--port", "7700"] },
  "worker-1": sleep,
  "worker-2": sleep,
};

const home = Deno.makeTempDirSync({ prefix: "ncolony-screenshot-" });
const children: Deno.ChildProcess[] = [];
try {
  Deno.mkdirSync(join(home, "conf"));
  for (const [name, config] of Object.entries(CONFIGS)) {
    Deno.writeTextFileSync(join(home, "conf", name), JSON.stringify(config));
  }
  start("monitor", "--colony", home);
  const status = join(home, "status");
  await until(() => statusOf("mailer")?.starts === 4 && statusOf("mailer").state === "waiting");
  const url = await addressOf(start("web", "--status", status, "--listen", "127.0.0.1:0"));
  // A break of the config in use is a problem, too.
  Deno.writeTextFileSync(join(home, "conf", "fresh.new"), '{"args": ["sleep", "1000000"],}');
  Deno.renameSync(join(home, "conf", "fresh.new"), join(home, "conf", "sessions"));
  const args = Deno.uid() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const options = { viewport: { width: 1200, height: 600 }, deviceScaleFactor: 1.2, colorScheme: "light" } as const;
    const page = await (await browser.newContext(options)).newPage();
    await page.goto(url);
    await page.locator(".row.wrong", { hasText: "sessions" }).waitFor();
    await page.screenshot({ path: join(root, "docs", "page.png") });
  } finally {
    await browser.close();
  }
} finally {
  for (const child of children.reverse()) {
    child.kill("SIGTERM");
    await child.status;
  }
  Deno.removeSync(home, { recursive: true });
}

function start(tool: string, ...argv: string[]): Deno.ChildProcess {
  const args = ["run", "--frozen", "--quiet", "--allow-all", join(root, tool, "mod.ts"), ...argv];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  children.push(child);
  return child;
}

// deno-lint-ignore no-explicit-any -- the content of a status file
function statusOf(name: string): any {
  try {
    return JSON.parse(Deno.readTextFileSync(join(home, "status", name)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function addressOf({ stderr }: Deno.ChildProcess): Promise<string> {
  let text = "";
  for await (const part of stderr.pipeThrough(new TextDecoderStream())) {
    text += part;
    const [url] = /http:\/\/\S+/.exec(text) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error(text);
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !condition();) {
    if (Date.now() > end) throw new Error("The colony does not become as it should be");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
