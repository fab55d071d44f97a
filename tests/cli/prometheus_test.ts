/** What `deploy/prometheus` and docs/metrics.md have works with the real Prometheus and node_exporter. */

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { parse } from "yaml";
import { type TempDir, tempDir } from "../helpers.ts";
import { Program } from "./program.ts";
import { testWith } from "./prometheus.ts";
import { lent, StatusColony } from "./status_files.ts";
import { denoEnv, hasCommand, ROOT, run, sh, TIMEOUT_MS, toolCommand } from "./tools.ts";

const DEPLOY = join(ROOT, "deploy", "prometheus");
const RULES = Deno.readTextFileSync(join(DEPLOY, "rules.yaml"));
const DASHBOARD = Deno.readTextFileSync(join(DEPLOY, "dashboard.json"));
const PAGE = Deno.readTextFileSync(join(ROOT, "docs", "metrics.md"));

/** A panel of a dashboard of Grafana, or a variable of it. */
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly targets: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly datasource: Panel["datasource"];
  }[];
}

const dashboard = JSON.parse(DASHBOARD);
const panels: readonly Panel[] = dashboard.panels;

/** Returns the queries of the dashboard, with the values that Grafana puts in the place of variables. */
function queries(): string[] {
  const all = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  return all.map((expr) => expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"));
}

/** Returns the names of metrics in a text, each once, sorted. */
function namesIn(text: string): string[] {
  return [...new Set(text.match(/\bncolony_\w+/g))].sort();
}

/** The names of all metrics. */
const NAMES = namesIn(Deno.readTextFileSync(join(ROOT, "core", "metrics.ts")));

/** Returns the blocks of docs/metrics.md in a language. */
function blocks(language: string): string[] {
  return [...PAGE.matchAll(RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, text]) => text!);
}

Deno.test("docs/metrics.md has every metric, and the rules and the dashboard ask for no other", () => {
  assertEquals(namesIn([...PAGE.matchAll(/^\| `\w+`/gm)].join()), NAMES);
  for (const text of [RULES, DASHBOARD]) {
    assertEquals(namesIn(text).filter((name) => !NAMES.includes(name)), []);
    assert(namesIn(text).length > 5);
  }
});

testWith(["promtool"], "each alert fires when it should, and not before", async () => {
  const { code, stdout, stderr } = await run(["promtool", "test", "rules", join(DEPLOY, "rules_test.yaml")]);
  assertEquals(code, 0, stdout + stderr);
  const alerts = parse(RULES).groups[0].rules.map(({ alert }: { readonly alert: string }) => alert);
  const { tests } = parse(Deno.readTextFileSync(join(DEPLOY, "rules_test.yaml")));
  const checks: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[] = tests.flatMap((
    { alert_rule_test }: { readonly alert_rule_test: readonly unknown[] },
  ) => alert_rule_test);
  for (const fires of [true, false]) {
    const tested = checks.filter(({ exp_alerts }) => (exp_alerts.length > 0) === fires).map(({ alertname }) =>
      alertname
    );
    assertEquals([...new Set(tested)].sort(), alerts.toSorted(), fires ? "fires" : "does not fire");
  }
});

testWith(["promtool"], "Grafana can import the dashboard, and each of its queries is valid", async () => {
  const { title, uid, schemaVersion, templating: { list } } = dashboard;
  assertEquals([title, uid, typeof schemaVersion], ["NColony", "ncolony", "number"]);
  assertEquals(list.map(({ name, type }: Record<string, string>) => [name, type]), [
    ["datasource", "datasource"],
    ["instance", "query"],
  ]);
  const used = new Set([...DASHBOARD.matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name));
  assertEquals([...used].sort(), ["datasource", "instance"]);
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    assert(x + w <= 24);
    return Array.from({ length: w * h }, (_, cell) => `${x + cell % w},${y + Math.floor(cell / w)}`);
  });
  assertEquals(new Set(cells).size, cells.length, "no panel lies on another");
  const source = { type: "prometheus", uid: "${datasource}" };
  for (const { datasource, targets } of panels) {
    assertEquals([datasource, ...targets.map(({ datasource }) => datasource)], Array(targets.length + 1).fill(source));
  }
  using dir = tempDir();
  const rules = queries().map((expr, nth) => ({ record: `query:${nth}`, expr }));
  const path = dir.write("queries.yaml", JSON.stringify({ groups: [{ name: "all", rules }] }));
  const { code, stdout, stderr } = await run(["promtool", "check", "rules", path]);
  assertEquals(code, 0, stdout + stderr);
});

Deno.test({
  name: `systemd accepts the timer of docs/metrics.md${
    hasCommand("systemd-analyze") ? "" : " (skipped without systemd)"
  }`,
  ignore: !hasCommand("systemd-analyze"),
  fn: async () => {
    using dir = tempDir();
    const [service, timer] = blocks("ini");
    dir.write("ncolony-metrics.service", service!.replace("/usr/local/bin/ncolony", "/bin/true"));
    const path = dir.write("ncolony-metrics.timer", timer!);
    const { code, stdout, stderr } = await run(["systemd-analyze", "verify", path]);
    assertEquals([code, stdout, stderr], [0, "", ""]);
  },
});

/** Returns a port that was free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Puts `ncolony` into a directory. Returns the PATH with it. */
function installed(dir: TempDir): string {
  const words = toolCommand("mod.ts", ["--allow-all"]).map((word) => `'${word}'`).join(" ");
  const env = Object.entries(denoEnv()).filter(([name]) => name !== "PATH").map(([name, value]) =>
    `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`
  );
  const path = join(dir.dir("bin"), "ncolony");
  Deno.writeTextFileSync(path, `#!/bin/sh\n${env.join("")}exec ${words} "$@"\n`);
  Deno.chmodSync(path, 0o755);
  return `${dir.file("bin")}:${Deno.env.get("PATH")}`;
}

/** Asks Prometheus. Null if it does not answer yet. */
async function ask(url: string): Promise<{ readonly status: string; readonly data: Record<string, unknown> } | null> {
  try {
    return await (await fetch(url)).json();
  } catch {
    // It does not listen yet.
    return null;
  }
}

type Labels = Readonly<Record<string, string>>;

/** Returns the labels of all alerts that fire now. */
async function firing(url: string): Promise<Labels[]> {
  const alerts = (await ask(`${url}/alerts`))?.data.alerts as readonly { state: string; labels: Labels }[] ?? [];
  return alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels);
}

testWith(
  ["prometheus", "prometheus-node-exporter"],
  "Prometheus fires the alert of a crash loop, which it learns of through node_exporter from a process of the colony",
  async () => {
    using dir = tempDir();
    const textfiles = dir.dir("textfiles");
    const config = {
      web: { args: ["sleep", "1000"] },
      crash: { args: sh("exit 3") },
      metrics: blocks("json")[0]!.replace("/srv/colony/status", dir.file("status"))
        .replace("/var/lib/prometheus/node-exporter", textfiles).replace("--frequency=15", "--frequency=0.5"),
    };
    const path = installed(dir);
    const args = ["-m", "0.2", "-M", "0.5"];
    await using colony = new StatusColony({ args, env: { PATH: path }, config }, lent(dir));
    await colony.until(
      "the metrics are written",
      () => [...Deno.readDirSync(textfiles)].some(({ name }) => name === "ncolony.prom"),
    );

    const [exporterPort, port] = [freePort(), freePort()];
    const exporter = ["--collector.disable-defaults", "--collector.textfile"];
    await using _exporter = new Program([
      "prometheus-node-exporter",
      ...exporter,
      `--collector.textfile.directory=${textfiles}`,
      `--web.listen-address=127.0.0.1:${exporterPort}`,
    ]);
    dir.write("rules.yaml", RULES.replaceAll(/for: \d+m/g, "for: 1s"));
    const target = `127.0.0.1:${exporterPort}`;
    const file = dir.write(
      "prometheus.yaml",
      JSON.stringify({
        global: { scrape_interval: "500ms", evaluation_interval: "500ms", scrape_timeout: "500ms" },
        rule_files: [dir.file("rules.yaml")],
        scrape_configs: [{ job_name: "node", static_configs: [{ targets: [target] }] }],
      }),
    );
    const database = `--storage.tsdb.path=${dir.file("database")}`;
    await using prometheus = new Program([
      "prometheus",
      `--config.file=${file}`,
      database,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=warn",
    ]);
    const url = `http://127.0.0.1:${port}/api/v1`;
    let fired: readonly Labels[] = [];
    for (
      const end = performance.now() + TIMEOUT_MS;
      !fired.some(({ alertname }) => alertname === "NColonyCrashLoop");
    ) {
      assert(performance.now() < end && !prometheus.isOver, `the alert does not fire: ${prometheus.lines.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
      fired = await firing(url);
    }
    const crash = { name: "crash", severity: "warning", instance: target, job: "node" };
    assertEquals(fired.find(({ alertname }) => alertname === "NColonyCrashLoop"), {
      alertname: "NColonyCrashLoop",
      ...crash,
    });
    assertEquals(fired.filter(({ name }) => name !== "crash"), [], "nothing else is wrong");
    for (const query of queries()) {
      const answer = await ask(`${url}/query?query=${encodeURIComponent(query)}`);
      assertEquals([query, answer?.status], [query, "success"]);
      // Seven states, six causes.
      const by = /^sum by \((state|cause)\)/.exec(query)?.[1];
      if (by !== undefined) assertEquals((answer!.data.result as unknown[]).length, by === "state" ? 7 : 6);
    }
  },
);
