/**
 * Runs the first commands of README.md, as a new user would, and writes what `ctl status` prints into README.md. With
 * `--check`, only compares it with that, apart from numbers, and exits with 1 if it differs.
 */

import { dirname, fromFileUrl, join } from "@std/path";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const readme = join(root, "README.md");
const text = Deno.readTextFileSync(readme);
/** How long each step may take, in milliseconds. */
const PATIENCE_MS = 60_000;

/** What README.md says that the last command prints. */
const SHOWN = /(?<=^The last command prints this.*?```text\n).*?(?=```)/ms;

const home = Deno.makeTempDirSync({ prefix: "ncolony-readme-" });
const [[start], commands] = [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => wordsOf(block!));
const monitor = shell(start!).spawn();
let printed: string;
try {
  await until(() => isThere(join(home, "colony", "conf")));
  const status = commands!.pop()!;
  for (const command of commands!) await outputOf(command);
  await until(async () => {
    const crash = JSON.parse(await outputOf(`${status} --json`)).processes.find(isCrash);
    return crash?.starts === 3 && crash.state === "waiting";
  });
  printed = await outputOf(status);
} finally {
  monitor.kill("SIGTERM");
  await monitor.status;
  Deno.removeSync(home, { recursive: true });
}
if (!Deno.args.includes("--check")) Deno.writeTextFileSync(readme, text.replace(SHOWN, () => printed));
else if (plain(printed) !== plain(SHOWN.exec(text)![0])) {
  await Deno.stderr.write(new TextEncoder().encode(`README.md is out of date: deno task readme\n${printed}`));
  Deno.exit(1);
}

/** Returns the commands of a block, with the programs of this project instead of the published ones. */
function wordsOf(block: string): string[] {
  const own = (_: string, name: string) => `exec '${Deno.execPath()}' run --frozen --quiet -A '${root}/${name}/mod.ts'`;
  return block.trim().split("\n").map((line) => line.replace(/^deno run -A jsr:@ncolony\/(\w+)/, own));
}

function shell(command: string): Deno.Command {
  return new Deno.Command("sh", { args: ["-c", command], cwd: home, stdin: "null", stdout: "piped", stderr: "null" });
}

async function outputOf(command: string): Promise<string> {
  return new TextDecoder().decode((await shell(command).output()).stdout);
}

function isCrash({ name }: { readonly name: string }): boolean {
  return name === "crash";
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Returns a table without what differs from run to run. */
function plain(table: string): string {
  return table.replaceAll(/\d+(st|nd|rd|th)?/g, "N").replaceAll(/ +/g, " ");
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !await condition();) {
    if (Date.now() > end) throw new Error("The commands of README.md do not do what it says");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
