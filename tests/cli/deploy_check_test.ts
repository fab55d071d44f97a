/** `ctl check` and `ctl plan` as `deploy/` uses them. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parse } from "yaml";
import { type TempDir, tempDir } from "../helpers.ts";
import { hasCommand, namesIn, type Result, ROOT, run, toolCommand } from "./tools.ts";

const DEPLOY = join(ROOT, "deploy");
const CTL = toolCommand("ctl/mod.ts", ["--allow-read"]).map((word) => `'${word}'`).join(" ");
const [GOOD, BETTER, BAD] = ['{"args": ["cat"]}', '{"args": ["cat"], "uid": 0}', '{"args": "cat"}'];

const hasAnsible = hasCommand("ansible-playbook");

Deno.test({
  name: `deploy/ansible.yaml replaces configs that are good, and leaves the others as they are${
    hasAnsible ? "" : " (skipped: needs ansible-playbook)"
  }`,
  ignore: !hasAnsible,
  fn: async () => {
    using dir = tempDir();
    const running = dir.dir("colony/conf");
    const bin = dir.dir("bin");
    Deno.writeTextFileSync(join(bin, "ncolony-ctl"), `#!/bin/sh\nexec ${CTL} "$@"\n`);
    Deno.chmodSync(join(bin, "ncolony-ctl"), 0o755);
    Deno.copyFileSync(join(DEPLOY, "ansible.yaml"), dir.file("ansible.yaml"));
    const source = dir.dir("conf");
    const play = async () => {
      const words = ["ansible-playbook", "-i", "localhost,", "-c", "local", "-e", `colony=${dir.file("colony")}`];
      const env = [`PATH=${bin}:${Deno.env.get("PATH")}`, `HOME=${dir.path}`, "LC_ALL=C.UTF-8", "ANSIBLE_NOCOLOR=1"];
      return await run(["env", ...env, ...words, dir.file("ansible.yaml")]);
    };
    const contents = () => namesIn(running).map((name) => Deno.readTextFileSync(join(running, name)));
    Deno.writeTextFileSync(join(source, "web"), GOOD);
    const first = await play();
    assertEquals([first.code, contents()], [0, [GOOD]], first.stdout + first.stderr);
    Deno.writeTextFileSync(join(source, "web"), BAD);
    const second = await play();
    assertEquals([second.code !== 0, contents()], [true, [GOOD]]);
    assertStringIncludes(second.stdout, "args: must be a non-empty array of strings that begins with a command");
    Deno.writeTextFileSync(join(source, "web"), BETTER);
    assertEquals([(await play()).code, contents()], [0, [BETTER]]);
  },
});

/** Runs the commands of `deploy/check.yaml`, until one fails, in a repository whose base branch has other configs. */
async function check(dir: TempDir, base: string, head: string): Promise<Result> {
  const { jobs: { check: { steps } } } = parse(Deno.readTextFileSync(join(DEPLOY, "check.yaml")));
  const scripts = steps.flatMap(({ run }: { readonly run?: string }) => run === undefined ? [] : [run]);
  assertEquals(scripts.length, 2);
  const script = [
    "git init -q -b main . && git config user.email x@y && git config user.name x && mkdir conf",
    `printf '%s' '${base}' > conf/web && git add . && git commit -q -m base && git update-ref refs/remotes/origin/main main`,
    `printf '%s' '${head}' > conf/web`,
    ...scripts.map((text: string) => text.replaceAll("deno run --allow-read jsr:@ncolony/ctl", CTL)),
  ].join("\n");
  const env = ["env", "GITHUB_BASE_REF=main", `HOME=${dir.path}`];
  return await run([...env, "sh", "-ec", `cd '${dir.dir("repository")}' && ${script}`]);
}

const hasGit = hasCommand("git");

Deno.test({
  name: `deploy/check.yaml fails for a config that is invalid, and tells what a good one would do${
    hasGit ? "" : " (skipped: needs git)"
  }`,
  ignore: !hasGit,
  fn: async () => {
    for (
      const [base, head, code, said] of [
        [
          GOOD,
          BETTER,
          0,
          /^1 config checked, 0 problems, 0 warnings\nrestart "web": its config changed: uid\n1 to restart\n$/,
        ],
        [GOOD, GOOD, 0, /\nNothing would change\.\n$/],
        [GOOD, BAD, 3, /^conf\/web:1:2: args: must be /],
        [GOOD, '{"args": ["cat"], "cwd": "/"}', 3, /^conf\/web:1:19: warning: cwd: is an extra/],
      ] as const
    ) {
      using dir = tempDir();
      const result = await check(dir, base, head);
      assertEquals(result.code, code, result.stderr);
      assertMatch(result.stdout, said);
    }
  },
});
