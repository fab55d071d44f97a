import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type TempDir, tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { type Result, ROOT, run, sh, TIMEOUT_MS } from "./tools.ts";

/** The recipe of a server in docs/recipes.md. */
export interface Recipe {
  /** The name of its config file. */
  readonly name: string;
  /** The text of its config. */
  readonly config: string;
  /** The command to run before the first start. May be empty. */
  readonly before: string;
  /** A command that succeeds while the server works. */
  readonly check: string;
  /** The command that makes the server reload its configuration. */
  readonly reload: string;
}

/** Returns the sections of the page. */
function sections(): string[] {
  return Deno.readTextFileSync(join(ROOT, "docs", "recipes.md")).split(/^## /m);
}

/** Returns the shell scripts in the section with this title. */
export function scriptsOf(title: string): string[] {
  const section = sections().find((text) => text.startsWith(`${title}\n`)) ?? "";
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, script]) => script!);
}

/** Returns all recipes of the page, by name. */
export function readRecipes(): Map<string, Recipe> {
  const found = sections().flatMap((section) => {
    const [, name, config] = /^`conf\/(\w+)`:\n\n```json\n([\s\S]*?)^```$/m.exec(section) ?? [];
    const commandOf = (label: string) => RegExp(`^- ${label}: \`(.*)\`$`, "m").exec(section)?.[1] ?? "";
    const [before, check, reload] = ["Before the first start", "Check", "Reload"].map(commandOf);
    return name === undefined ? [] : [{ name, config: config!, before: before!, check: check!, reload: reload! }];
  });
  return new Map(found.map((recipe) => [recipe.name, recipe]));
}

/** Directories that Debian's servers write to or the tests change. The tests use copies. */
const COPIED = [
  "/etc/cron.d",
  "/etc/haproxy",
  "/etc/nginx",
  "/etc/postgresql",
  "/etc/ssh",
  "/var/lib/postgresql",
  "/var/lib/redis",
];

/** Mount and network namespaces in which a monitor runs one recipe. */
export class Site implements AsyncDisposable {
  /** The directory of the test, which has the same path inside. */
  readonly dir: TempDir = tempDir();
  /** The monitor and the server. */
  readonly colony: Colony;

  /** Starts the monitor. `setup` runs before it as root. */
  constructor(readonly recipe: Recipe, setup: (dir: string) => string) {
    Deno.chmodSync(this.dir.path, 0o755);
    const copies = COPIED.map((path) => `copy ${path}`).join("\n");
    const script = `set -e
      copy() {
        [ -d "$1" ] || return 0
        mkdir -p '${this.dir.path}'"$1"
        cp -a "$1/." '${this.dir.path}'"$1"
        mount --bind '${this.dir.path}'"$1" "$1"
      }
      ip link set lo up
      for place in /run /srv /var/log; do mount -t tmpfs -o mode=755 tmpfs $place; done
      mkdir /var/log/nginx
      ${copies}
      ${setup(this.dir.path)}
      ${this.recipe.before}
      exec "$@"`;
    this.colony = new Colony({
      wrap: ["unshare", "--mount", "--net", ...sh(script), "sh"],
      permissions: ["-A"],
      config: { [recipe.name]: recipe.config },
    });
  }

  /** Returns the words that run a shell command in the server's namespaces, where `pids` is the pid directory. */
  inside(command: string): string[] {
    const words = ["nsenter", "--target", `${this.colony.process.pid}`, "--mount", "--net"];
    return [...words, "sh", "-c", `cd '${this.colony.dir.path}' && ${command}`];
  }

  /** Runs a shell command in the server's namespaces. */
  async run(command: string): Promise<Result> {
    return await run(this.inside(command));
  }

  /** Waits until a shell command in the server's namespaces succeeds with this output. */
  async shows(command: string, output?: string): Promise<void> {
    for (const end = Date.now() + 2 * TIMEOUT_MS;;) {
      const { code, stdout, stderr } = await this.run(command);
      if (code === 0 && (output === undefined || stdout === output)) return;
      if (Date.now() > end) {
        throw new Error(`${command}: ${code}, ${stdout}${stderr}\n${this.colony.lines.slice(-30).join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Asks for a restart. Checks that the server exits by itself, and that the next one works. */
  async restart(end = "exit code 0"): Promise<void> {
    const { name, check } = this.recipe;
    this.colony.send({ type: "RESTART", name });
    await this.colony.waitFor(RegExp(` ${name}: ended: ${end} after`));
    await this.colony.started(name, 2);
    await this.shows(check);
  }

  /** Checks that everything stops in order. */
  async stop(): Promise<void> {
    assertEquals([await this.colony.stop(), this.colony.count(/SIGKILL/)], [0, 0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.colony[Symbol.asyncDispose]();
    this.dir[Symbol.dispose]();
  }
}
