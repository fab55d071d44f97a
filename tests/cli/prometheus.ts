import { assertEquals } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { hasCommand, run, sh } from "./tools.ts";

/** What of Prometheus is missing here: its own programs, or its library for Python. */
export const MISSING: readonly string[] = [
  ...["promtool", "prometheus", "prometheus-node-exporter"].filter((name) => !hasCommand(name)),
  ...hasCommand("/usr/bin/python3") && isSuccess("import prometheus_client") ? [] : ["python3-prometheus-client"],
];

/** Defines a test that needs some of that. If it is missing, skips the test and says so in its title. */
export function testWith(needed: readonly string[], name: string, fn: () => Promise<void>): void {
  const missing = needed.filter((one) => MISSING.includes(one));
  const suffix = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} is missing)`;
  Deno.test({ name: `${name}${suffix}`, ignore: missing.length > 0, fn });
}

function isSuccess(script: string): boolean {
  return new Deno.Command("/usr/bin/python3", { args: ["-c", script], stdout: "null", stderr: "null" }).outputSync()
    .success;
}

/** Returns the values of a text of metrics by their names and labels, as they are written there. */
export function valuesIn(text: string): ReadonlyMap<string, number> {
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

/** A sample, as the parser of another program understands it. */
export type Sample = readonly [name: string, labels: Readonly<Record<string, string>>, value: number];

const PARSE = `
import json, sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics
text = open(sys.argv[2], newline="").read()
families = (openmetrics if sys.argv[1] == "openmetrics" else parser).text_string_to_metric_families(text)
print(json.dumps([[s.name, s.labels, s.value] for f in families for s in f.samples]))
`;

/** Parses metrics by the parser of prometheus_client, which is strict about OpenMetrics. @throws {Error} If it fails. */
export async function parsed(format: "prometheus" | "openmetrics", text: string): Promise<Sample[]> {
  using dir = tempDir();
  const { code, stdout, stderr } = await run(["/usr/bin/python3", "-c", PARSE, format, dir.write("metrics", text)]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Checks metrics by `promtool check metrics`, which knows the format, and how metrics should be called. */
export async function assertGood(text: string): Promise<void> {
  using dir = tempDir();
  const { code, stdout, stderr } = await run([
    ...sh('promtool check metrics <"$1"'),
    "sh",
    dir.write("metrics", text),
  ]);
  assertEquals([code, stdout + stderr], [0, ""]);
}
