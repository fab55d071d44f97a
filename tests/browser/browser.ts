import { assertEquals } from "@std/assert";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { hasCommand, IS_ROOT } from "../cli/tools.ts";

/** The command of the browser. */
const CHROMIUM = ["chromium", "chromium-browser", "google-chrome"].find(hasCommand);

/** How long the page may take to show something, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** A page, and what it should not have done. */
export interface Visit {
  readonly page: Page;
  /** Errors of scripts, and what the policy refused. Failed requests are not among them. */
  readonly faults: string[];
  /** The origins that it asked. */
  readonly origins: Set<string>;
}

/** Defines a test in a browser. It is skipped if there is none. */
export function browserTest(
  name: string,
  fn: (open: (url: string, options?: BrowserContextOptions) => Promise<Visit>) => Promise<void>,
): void {
  Deno.test({
    name: `${name}${CHROMIUM === undefined ? " (skipped: needs Chromium)" : ""}`,
    ignore: CHROMIUM === undefined,
    // The library keeps what it needs for the next browser.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const args = IS_ROOT ? ["--no-sandbox"] : [];
      const browser = await chromium.launch({ executablePath: await pathOf(CHROMIUM!), args });
      const visits: Visit[] = [];
      try {
        await fn(async (url, options = {}) => {
          const visit = await open(browser, url, options);
          visits.push(visit);
          return visit;
        });
        for (const { faults } of visits) assertEquals(faults, []);
      } finally {
        await browser.close();
      }
    },
  });
}

async function pathOf(command: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${command}`] }).output();
  return new TextDecoder().decode(stdout).trim();
}

async function open(browser: Browser, url: string, options: BrowserContextOptions): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const [faults, origins]: [string[], Set<string>] = [[], new Set()];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("dialog", async (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      faults.push(message.text());
    }
  });
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  await page.goto(url);
  return { page, faults, origins };
}

/** Waits until a part of a page has a text that matches. */
export async function shows(page: Page, selector: string, pattern: RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: pattern }).first().waitFor();
}
