/** What the programs that wrap a command get to see, and how they are started. */

import { assert, assertEquals } from "@std/assert";
import { type TempDir, tempDir } from "../helpers.ts";
import { canRun, NOBODY } from "./actors.ts";
import { Trial } from "./children.ts";
import { replace } from "./fakes.ts";
import { shell, test } from "./surrounding.ts";

/** A command that Deno started. */
interface Started {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly detached: boolean;
}

/** Records the commands that Deno starts, without those that only answer a question. */
function noteStarts(): Disposable & { readonly starts: Started[] } {
  const { Command } = Deno;
  const starts: Started[] = [];
  const noting = class extends Command {
    readonly #started: Started;
    constructor(command: string | URL, options: Deno.CommandOptions = {}) {
      super(command, options);
      const { args = [], env = {}, detached = false } = options;
      this.#started = { words: [`${command}`, ...args], env, detached };
    }
    override spawn(): Deno.ChildProcess {
      starts.push(this.#started);
      return super.spawn();
    }
  };
  return { starts, ...replace(Deno, "Command", noting) };
}

/** Writes a script. Returns its path. */
function script(dir: TempDir, text: string, name = "script"): string {
  const path = dir.write(name, text);
  Deno.chmodSync(path, 0o755);
  return path;
}

/** Starts a config's child and waits for it. Returns its events. */
async function eventsOf({ args, ...config }: ReturnType<typeof shell>): Promise<readonly string[]> {
  await using trial = new Trial(args, config);
  await trial.result();
  return trial.events;
}

/** Compiles a library that notes who loads it: `uid program` in a file that every user may write. */
function compileSpy(dir: TempDir): { readonly library: string; readonly notes: string } {
  const notes = dir.write("notes", "");
  Deno.chmodSync(notes, 0o666);
  const source = dir.write(
    "spy.c",
    `#include <stdio.h>
#include <unistd.h>
__attribute__((constructor)) static void note(void) {
  char name[4096] = "";
  if (readlink("/proc/self/exe", name, sizeof name - 1) < 0) return;
  FILE *file = fopen("${notes}", "a");
  if (file) fprintf(file, "%d %s\\n", (int) geteuid(), name), fclose(file);
}`,
  );
  const library = dir.file("spy.so");
  assert(canRun("gcc", "-shared", "-fPIC", "-o", library, source));
  return { library, notes };
}

test(
  "no program that wraps a command loads the library that its LD_PRELOAD names, and none as root",
  async () => {
    using dir = tempDir();
    Deno.chmodSync(dir.path, 0o755);
    const { library, notes } = compileSpy(dir);
    const monitor = { nice: 1, oom_score_adj: 1, nofile: 64, cwd: "/", groups: [7] };
    const config = { uid: NOBODY, gid: NOBODY, env: { LD_PRELOAD: library } };
    // The second one is started by setsid(1).
    for (let i = 0; i < 2; i++) await eventsOf({ args: ["/bin/true"], ...config, "ncolony.monitor": monitor });
    const command = Deno.realPathSync("/bin/true");
    assertEquals(Deno.readTextFileSync(notes).trim().split("\n"), Array(2).fill(`${NOBODY} ${command}`));
  },
  "gcc",
);

test("programs that wrap a command get its other variables, but nobody sees those on a command line", async () => {
  using noted = noteStarts();
  const env = { TOKEN: "hunter2", TZDIR: "/zones", LD_BIND_NOW: "1" };
  for (let i = 0; i < 2; i++) await eventsOf(shell("exit 0", { nofile: 64 }, { env }));
  for (const { words, env } of noted.starts) {
    assertEquals(words.filter((word) => word.includes("hunter2")), []);
    assertEquals([env.TOKEN, env.TZDIR, env.LD_BIND_NOW], ["hunter2", undefined, undefined]);
    assertEquals(words.slice(words.indexOf("/usr/bin/env"), words.indexOf("/bin/sh")), [
      "/usr/bin/env",
      "TZDIR=/zones",
      "LD_BIND_NOW=1",
    ]);
  }
  assertEquals(noted.starts.length, 2);
});

test("the programs that wrap a command are those of the system, whatever PATH the command has", async () => {
  using dir = tempDir();
  for (const tool of ["nice", "setpriv", "prlimit", "choom", "env"]) {
    script(dir, "#!/bin/sh\necho fake", tool);
  }
  const monitor = { nice: 1, oom_score_adj: 1, nofile: 64, groups: [7] };
  await using trial = new Trial(["/bin/sh", "-c", "echo real"], {
    env: { PATH: dir.path, TZDIR: "" },
    "ncolony.monitor": monitor,
  });
  assertEquals(await trial.result(), "real\n");
});

test(
  "a wrapped command is started by setsid(1) from the second time on, also as another user",
  async () => {
    using dir = tempDir();
    Deno.chmodSync(dir.path, 0o755);
    using noted = noteStarts();
    const config = { args: [script(dir, "#!/bin/sh\nexit 3")], uid: NOBODY, "ncolony.monitor": { nofile: 64 } };
    for (let i = 0; i < 3; i++) {
      assertEquals(await eventsOf(config), ["leader-exited: exit code 3", "group-exited"]);
    }
    const wrapped = ["/usr/bin/setpriv", `--reuid=${NOBODY}`, "--clear-groups", "/usr/bin/prlimit", "--nofile=64:"];
    const words = [...wrapped, ...config.args];
    assertEquals(noted.starts.map(({ words, detached }) => [words, detached]), [
      [words, true],
      [["/usr/bin/setsid", "--", ...words], false],
      [["/usr/bin/setsid", "--", ...words], false],
    ]);
  },
  "setsid",
);

test(
  "a wrapped command that fails like a missing one slows down no other wrapped command",
  async () => {
    using dir = tempDir();
    const exits = (code: number) => {
      return { args: [script(dir, `#!/bin/sh\nexit ${code}`, `${code}`)], "ncolony.monitor": { nofile: 64 } };
    };
    const [bad, good] = [exits(127), exits(0)];
    for (const config of [bad, good, bad]) await eventsOf(config);
    using noted = noteStarts();
    for (const config of [bad, good]) await eventsOf(config);
    assertEquals(noted.starts.map(({ detached }) => detached), [true, false]);
  },
  "setsid",
);

Deno.test("a child without surroundings is executed directly, and nothing is looked up for it", async () => {
  const { Command } = Deno;
  const commands: string[] = [];
  const noting = class extends Command {
    constructor(command: string | URL, options: Deno.CommandOptions = {}) {
      super(command, options);
      commands.push([command, ...options.args ?? []].join(" "));
    }
  };
  using _command = replace(Deno, "Command", noting);
  const { statSync } = Deno;
  const looks: string[] = [];
  using _stat = replace(Deno, "statSync", (path: string | URL) => {
    looks.push(`${path}`);
    return statSync(path);
  });
  const config = { env: { LD_BIND_NOW: "1" }, "ncolony.monitor": { groups: [], cwd: "/" } };
  for (let i = 0; i < 2; i++) await eventsOf({ args: ["/bin/echo", "x"], ...config });
  assertEquals([commands, looks], [["/bin/echo x", "/bin/echo x"], []]);
});
