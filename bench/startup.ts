/** Measures how long each tool takes to print its version: alone and in the umbrella, as a bundle and from source. */

import { parseArgs } from "@std/cli/parse-args";
import { dirname, fromFileUrl, join } from "@std/path";
import { type Tool, TOOLS } from "../tools/permissions.ts";
import { print, run } from "./processes.ts";
import { median } from "./table.ts";

const { rounds = "20" } = parseArgs(Deno.args, { string: ["rounds"] }) as { rounds?: string };
const root = dirname(dirname(fromFileUrl(import.meta.url)));
const scratch = await Deno.makeTempDir();
const places = ["config", "messages"].flatMap((name) => [`--${name}`, join(scratch, name)]);
const works: Partial<Record<Tool, readonly string[]>> = {
  ctl: [...places, "restart-all"],
  reaper: ["true"],
  notify: ["--colony", scratch, "--on", "exited", "--arg", "true"],
  scheduler: ["--frequency", "60", "--timeout", "1", "--grace", "1", "--arg", "true"],
};
const forms = {
  bundle: (name: string) => ["run", "--no-config", "--no-remote", "--no-npm", "-A", join(root, "dist", `${name}.js`)],
  source: (name: string) => ["run", "-A", join(root, name.replace(/^ncolony-?/, ""), "mod.ts")],
};

for (const name of ["config", "messages"]) await Deno.mkdir(join(scratch, name));
print("|  | tool | alone, ms | in the umbrella, ms | difference |\n| --- | --- | --: | --: | --: |");
for (const [form, program] of Object.entries(forms)) {
  for (const tool of TOOLS) {
    const alone: number[] = [];
    const together: number[] = [];
    for (const args of [program(`ncolony-${tool}`), [...program("ncolony"), tool]]) await work(args, tool);
    // Take turns, so that other load on the machine affects both alike.
    for (let round = 0; round < Number(rounds); round++) {
      alone.push(await time([...program(`ncolony-${tool}`), "--version"]));
      together.push(await time([...program("ncolony"), tool, "--version"]));
    }
    const [one, other] = [median(alone), median(together)];
    print(`| ${form} | ${tool} | ${one.toFixed(1)} | ${other.toFixed(1)} | ${(other - one).toFixed(1)} |`);
  }
}

await Deno.remove(scratch, { recursive: true });

/** Runs a tool for a second, because Deno caches the compiled code of a program that works, but not of `--version`. */
async function work(program: readonly string[], tool: Tool): Promise<void> {
  const args = ["1", Deno.execPath(), ...program, ...works[tool] ?? places];
  await new Deno.Command("timeout", { args, stdout: "null", stderr: "null" }).output();
}

async function time(args: readonly string[]): Promise<number> {
  const start = performance.now();
  await run([Deno.execPath(), ...args]);
  return performance.now() - start;
}
