import { assertEquals } from "@std/assert";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { StatusColony } from "../cli/status_files.ts";
import { sh } from "../cli/tools.ts";
import { Web } from "../cli/web.ts";
import { tempDir } from "../helpers.ts";
import { browserTest, shows } from "./browser.ts";

const CONFIG = {
  web: { args: ["sleep", "1000"] },
  off: { args: ["cat"], "ncolony.monitor": { enabled: false } },
  crash: { args: sh("echo oops >&2; exit 3") },
  [`a-very-long-name-${"x".repeat(200)}`]: { args: ["/no/such/command/at/all/of/this/name"] },
};

/** Returns what axe-core finds on a page that is serious or critical. */
async function seriousOn(page: Page): Promise<string[]> {
  // The policy of the page lets no script in, but the browser does.
  const { violations } = await page.evaluate(`${axe.source}; axe.run(document)`) as {
    violations: { impact: string; id: string; nodes: { html: string }[] }[];
  };
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" ")}`);
}

browserTest(
  "axe-core finds nothing serious, at any width, light and dark, and nothing is wider than the page",
  async (open) => {
    const place = tempDir();
    await using colony = new StatusColony({ config: CONFIG, args: ["-m", "600", "--logs", place.file("logs")] }, place);
    colony.put("broken", '{"args": 1}');
    await colony.inState("crash", "waiting");
    await colony.inState("web", "running");
    await colony.inState("broken", "invalid");
    const token = place.write("token", "correct-horse-battery-staple");
    Deno.chmodSync(token, 0o600);
    const permissions = ["--allow-net=127.0.0.1", "--allow-read"];
    const options = ["--status", colony.status, "--logs", place.file("logs")];
    await using web = new Web([...options, "--peer", "rack3=http://127.0.0.1:9"], permissions);
    await using shut = new Web([...options, "--token-file", token], permissions);
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [360, 800, 1400]) {
        const viewport = { width, height: 800 };
        const pages = { "/": ".row.wrong", "/process/crash": ".log .line", "/process/none": ".banner" };
        for (const [path, selector] of Object.entries(pages)) {
          const { page } = await open(await web.url(path), { viewport, colorScheme });
          await shows(page, selector, /./);
          if (path === "/process/crash") await page.locator(".chart canvas").first().waitFor();
          assertEquals([path, width, colorScheme, await seriousOn(page)], [path, width, colorScheme, []]);
          const isWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
          assertEquals([path, width, isWide], [path, width, false]);
          await page.context().close();
        }
        const { page } = await open(await shut.url(), { viewport, colorScheme });
        assertEquals([width, colorScheme, await seriousOn(page)], [width, colorScheme, []]);
        await page.context().close();
      }
    }
  },
);
