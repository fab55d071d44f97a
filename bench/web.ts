/**
 * Measures the page of ncolony-web in Chromium: how long it takes to show many processes, how soon it shows that the
 * status of one was replaced, and how much memory the server needs; beside the emptiest page that does the same. It
 * measures the bundle: `deno task bundle` first.
 */

import { formatStatus, newStatus } from "@ncolony/core";
import { parseArgs } from "@std/cli/parse-args";
import { dirname, fromFileUrl, join } from "@std/path";
import { type Browser, chromium, type Page } from "playwright-core";
import { benchmark } from "./benchmark.ts";
import { pause, print } from "./processes.ts";
import { median } from "./table.ts";

const HELP = `Usage: deno task bench:web [options]

  --rounds N      how often to load the page, and to change a process [30]
  --chromium FILE the browser [chromium]`;

const { help, rounds: given = "30", chromium: executablePath = "/usr/bin/chromium" } = parseArgs(Deno.args, {
  boolean: ["help"],
  string: ["rounds", "chromium"],
}) as { help?: boolean; rounds?: string; chromium?: string };
const rounds = Number(given);
if (help || !(rounds >= 1)) {
  print(HELP);
  Deno.exit(help ? 0 : 2);
}
const root = dirname(dirname(fromFileUrl(import.meta.url)));
await benchmark("web", main);

async function main(home: string): Promise<number> {
  const args = Deno.uid() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args });
  try {
    print("|  | web, 10 | web, 1,000 | emptiest page, 10 | emptiest page, 1,000 |\n| --- | --: | --: | --: | --: |");
    const results: Numbers[] = [];
    for (const program of [webOf, emptiestOf]) {
      for (const count of [10, 1000]) results.push(await measure(home, browser, program, count));
    }
    for (const title of Object.keys(results[0]!)) {
      print(`| ${[title, ...results.map((it) => it[title])].join(" | ")} |`);
    }
  } finally {
    await browser.close();
  }
  return 0;
}

/** Results, by their titles. */
type Numbers = Readonly<Record<string, string>>;

/** Returns the words that run a server, after those that all have. */
type Program = (status: string) => readonly string[];

function webOf(status: string): readonly string[] {
  return [join(root, "dist", "ncolony-web.js"), "--status", status, "--listen", "127.0.0.1:0"];
}

function emptiestOf(status: string): readonly string[] {
  return [join(root, "bench", "emptiest_page.ts"), status];
}

async function measure(home: string, browser: Browser, program: Program, count: number): Promise<Numbers> {
  const status = Deno.makeTempDirSync({ dir: home });
  const names = Array.from({ length: count }, (_, index) => `process-${String(index).padStart(4, "0")}`);
  for (const name of names) replace(status, name, 1);
  const now = new Date().toISOString();
  Deno.writeTextFileSync(join(status, ".monitor"), JSON.stringify({ pid: 1, last_scan: now, frequency: 1000 }));
  // A monitor that lives holds this lock.
  using lock = Deno.openSync(join(status, ".lock"), { create: true, read: true, write: true });
  lock.lockSync(true);
  const flags = ["--no-prompt", "--no-config", "--quiet", "--v8-flags=--optimize-for-size", "--allow-net=127.0.0.1"];
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, `--allow-read=${status}`, ...program(status)],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const ended = server.status;
  try {
    const url = await addressOf(server.stderr);
    const [first, all, changes]: number[][] = [[], [], []];
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    for (let round = -1; round < rounds; round++) {
      const [shown, whole] = await load(page, url, count);
      if (round < 0) continue;
      first.push(shown);
      all.push(whole);
    }
    for (let round = -1; round < rounds; round++) {
      const ms = await change(page, status, names[round % 5 + 1] ?? names[0]!, round + 2);
      if (round >= 0) changes.push(ms);
      await pause(300);
    }
    const { own, pss } = memoryOf(server.pid);
    await page.close();
    const [least, most] = [Math.min(...changes), Math.max(...changes)];
    return {
      "first rows painted, ms": median(first).toFixed(0),
      "all rows painted, ms": median(all).toFixed(0),
      "status renamed → painted, ms": `${median(changes).toFixed(0)} (${least.toFixed(0)} to ${most.toFixed(0)})`,
      "memory of the server: its own pages, MiB": own.toFixed(1),
      "memory of the server: PSS, MiB": pss.toFixed(1),
    };
  } finally {
    server.kill("SIGTERM");
    await ended;
  }
}

/** Writes the status of a process as a monitor does. */
function replace(status: string, name: string, incarnation: number): void {
  const at = Date.now() - 100_000;
  const told = { ...newStatus(name, at), state: "running" as const, pid: 1000, incarnation, started: at };
  const text = formatStatus(told, { thresholdMs: 1000, stderr: [], sha256: "0".repeat(64), lastEvent: null });
  Deno.writeTextFileSync(join(status, `.${name}.new`), text);
  Deno.renameSync(join(status, `.${name}.new`), join(status, name));
}

/** Loads the page. Returns when the first rows and when all rows were painted, in milliseconds since the navigation. */
async function load(page: Page, url: string, count: number): Promise<[first: number, all: number]> {
  // A page that is loaded again needs no new process of the browser.
  if (page.url() === url) await page.reload({ waitUntil: "commit" });
  else await page.goto(url, { waitUntil: "commit" });
  return await page.evaluate(`new Promise((resolve) => {
    let first = null;
    const look = () => {
      const rows = document.querySelectorAll(".row").length;
      if (rows > 0) first ??= performance.now();
      // This runs before a picture is painted, so the one before it shows what was found then.
      if (rows < ${count}) return requestAnimationFrame(look);
      requestAnimationFrame(() => setTimeout(() => resolve([first, performance.now()])));
    };
    look();
  })`) as [number, number];
}

/** Replaces the status of a process. Returns how long it took until the page had painted that, in milliseconds. */
async function change(page: Page, status: string, name: string, incarnation: number): Promise<number> {
  const painted = page.evaluate(`new Promise((resolve) => {
    const row = [...document.querySelectorAll(".row")].find((row) => row.textContent.includes("${name}"));
    const look = () => {
      if (row.querySelector(".c-starts").textContent !== "${incarnation}") return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(Date.now())));
    };
    const observer = new MutationObserver(look);
    observer.observe(row, { subtree: true, childList: true, characterData: true });
  })`) as Promise<number>;
  await pause(100);
  const renamed = Date.now();
  replace(status, name, incarnation);
  return await painted - renamed;
}

async function addressOf(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += read.value;
    const [url] = /http:\/\/\S+/.exec(text) ?? [];
    if (url === undefined) continue;
    // The server must not wait for who reads its log.
    (async () => {
      while (!(await reader.read()).done);
    })();
    return url;
  }
  throw new Error(text);
}

/** Returns what a process needs, in MiB: the pages that only it has, and its part of those that it shares. */
function memoryOf(pid: number): { readonly own: number; readonly pss: number } {
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(rollup)![1]);
  return { own: kib("Anonymous") / 1024, pss: kib("Pss") / 1024 };
}
