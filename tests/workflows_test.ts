/** The rules that protect publishing, each with faults that break it. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { parse } from "yaml";
import { namesIn, ROOT, run } from "./cli/tools.ts";

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
}

interface Job {
  readonly needs?: readonly string[];
  readonly permissions?: unknown;
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: unknown;
  readonly permissions?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = join(ROOT, ".github", "workflows");
const TEXTS = namesIn(FOLDER).map((name) => Deno.readTextFileSync(join(FOLDER, name)));

const READER = { contents: "read" };
const PUBLISHER = { contents: "read", "id-token": "write" };
const PUBLISHING = [
  { uses: "actions/checkout", with: { "persist-credentials": false } },
  { uses: "denoland/setup-deno", with: { "deno-version": "v2.9.6" } },
  { run: "deno task publish" },
];

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Reports for each rule whether these workflows follow it. */
function check(texts: readonly string[]): Record<string, boolean> {
  const workflows = texts.map((text): Workflow => parse(text));
  const jobs = workflows.flatMap(({ jobs }) => Object.values(jobs));
  const steps = jobs.flatMap(({ steps = [] }) => steps);
  const uses = texts.flatMap((text) => text.split("\n")).filter((line) => /\buses\b/.test(line));
  const publishers = jobs.filter(({ permissions }) => isSame(permissions, PUBLISHER));
  const publishing = workflows.find(({ jobs }) => Object.values(jobs).includes(publishers[0]!));
  const { needs, steps: work, ...rest } = publishers[0] ?? {};
  const others = Object.entries(publishing?.jobs ?? {}).filter(([, job]) => job !== publishers[0]);
  return {
    "every action is named by a digest, with its version beside it": uses.every((line) =>
      /^ +- uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)
    ),
    "every action is the same everywhere": new Set(uses).size === new Set(uses.map((line) => line.split("@")[0])).size,
    "every job ends within half an hour": jobs.every((job) => Number(job["timeout-minutes"]) <= 30),
    "one job may publish, and all others read the repository and nothing else": publishers.length === 1 &&
      jobs.every((job) => job === publishers[0] || isSame(job.permissions, READER)),
    "no workflow gives more to all its jobs": workflows.every(({ permissions }) => {
      return isSame(permissions, {}) || isSame(permissions, READER);
    }),
    "no checkout leaves a token behind": steps.every((step) => {
      return !step.uses?.startsWith("actions/checkout@") || step.with?.["persist-credentials"] === false;
    }),
    "no command contains text of an event": steps.every(({ run = "" }) => !run.includes("${{")),
    "the job that publishes does nothing else":
      isSame(work?.map(({ uses, ...rest }) => ({ uses: uses?.split("@")[0], ...rest })), PUBLISHING) &&
      isSame(Object.keys(rest), ["name", "runs-on", "timeout-minutes", "environment", "permissions"]) &&
      isSame(Object.keys(publishing ?? {}), ["name", "on", "permissions", "concurrency", "jobs"]),
    "the job that publishes waits for all tests": isSame(needs, others.map(([name]) => name)) &&
      isSame(others.map(([, { steps }]) => steps?.at(-1)?.run), ["deno task ok", "deno task test:jsr"]),
    "only a tag starts it": isSame(publishing?.on, { push: { tags: ["v*"] } }),
  };
}

function broken(texts: readonly string[]): string[] {
  return Object.entries(check(texts)).filter(([, isKept]) => !isKept).map(([rule]) => rule);
}

Deno.test("the workflows follow the rules", () => assertEquals(broken(TEXTS), []));

Deno.test("every rule of the workflows detects its faults", () => {
  const faults: Record<string, [RegExp, string][]> = {
    "every action is named by a digest, with its version beside it": [
      [/checkout@\S+ # v\d/, "checkout@v4 # v4"],
      [/(setup-deno@\S+) # .*/, "$1"],
      [/ {4}steps:/, "    uses: ./other.yml\n    steps:"],
    ],
    "every action is the same everywhere": [[/checkout@.{8}/, "checkout@00000000"]],
    "every job ends within half an hour": [[/ +timeout-minutes: 30\n/, ""], [/minutes: 30/, "minutes: 31"]],
    "one job may publish, and all others read the repository and nothing else": [
      [/ {4}permissions:\n {6}contents: read\n/, ""],
      [/ {6}contents: read\n(?= {4}steps)/, "      contents: write\n"],
      [/ {6}contents: read\n(?= {4}steps)/, "      contents: read\n      id-token: write\n"],
      [/ +id-token: write\n/, ""],
    ],
    "no workflow gives more to all its jobs": [
      [/^permissions: \{\}/m, "permissions: write-all"],
      [/^permissions:\n/m, "permissions:\n  id-token: write\n"],
      [/^permissions: \{\}\n/m, ""],
    ],
    "no checkout leaves a token behind": [[/persist-.*: false/, "persist-credentials: true"], [
      /persist-.*/,
      "path: a",
    ]],
    "no command contains text of an event": [[/(run: deno task ok)/, "$1 ${{ github.ref }}"]],
    "the job that publishes does nothing else": [
      [/(- run: deno task publish)/, "- run: deno task test:jsr\n      $1"],
      [/(- run: deno task publish)/, "$1 --no-check"],
      [/(- run: deno task publish)/, "- run: npm install\n      $1"],
      [/(v2\.9\.6)(?=\n.*\n.*run: deno task publish)/, "$1\n          cache: true"],
      [/ {4}environment: jsr\n/, ""],
      [/ {4}environment: jsr\n/, "    environment: jsr\n    container: node\n"],
      [/^concurrency:(?=\n {2}group: publish)/m, "env:\n  JSR_URL: https://example.org\nconcurrency:"],
    ],
    "the job that publishes waits for all tests": [[/needs: .*/, "needs: [test]"], [
      /(group: publish[^]*)test:jsr/,
      "$1test",
    ]],
    "only a tag starts it": [[/( +tags: .*\n)/, "$1    branches: [main]\n"], [/( +tags: .*\n)/, "$1  pull_request:\n"]],
  };
  assertEquals(Object.keys(faults), Object.keys(check(TEXTS)));
  for (const [rule, plants] of Object.entries(faults)) {
    for (const [place, fault] of plants) {
      const texts = TEXTS.map((text) => text.replace(place, fault));
      assertNotEquals(texts, TEXTS, `${place}`);
      assertEquals([rule, `${place}`, broken(texts).includes(rule)], [rule, `${place}`, true]);
    }
  }
});

Deno.test("the publish workflow rejects a tag that is not the version of all packages", async () => {
  const [, command] = TEXTS.flatMap((text) => / run: (test .*)$/m.exec(text) ?? []);
  const { version } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  const refused = async (tag: string) => (await run(["env", `GITHUB_REF_NAME=${tag}`, "sh", "-ec", command!])).code;
  assertEquals(await Promise.all([`v${version}`, version, `v${version}1`, "v"].map(refused)), [0, 1, 1, 1]);
});

Deno.test("Dependabot updates the digests of the actions", () => {
  const { updates } = parse(Deno.readTextFileSync(join(ROOT, ".github", "dependabot.yml")));
  assertEquals(updates.map((it: Record<string, unknown>) => it["package-ecosystem"]), ["github-actions"]);
});
