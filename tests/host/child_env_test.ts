import { assert, assertEquals, assertMatch } from "@std/assert";
import { type TempDir, tempDir } from "../helpers.ts";
import { Trial } from "./children.ts";

/** Returns the stdout of a child once it has exited. */
async function outputOf(...[args, config, options]: ConstructorParameters<typeof Trial>): Promise<string> {
  await using trial = new Trial(args, config, options);
  const text = await trial.result();
  assertEquals(trial.events, ["leader-exited: exit code 0", "group-exited"]);
  return text;
}

/** Writes a command that prints the name of its directory. Returns the path of the directory. */
function command(dir: TempDir, directory: string, mode = 0o755): string {
  dir.dir(directory);
  Deno.chmodSync(dir.write(`${directory}/hello`, `#!/bin/sh\necho ${directory}\n`), mode);
  return dir.file(directory);
}

Deno.test("spawnChild() passes exactly the environment of the config", async () => {
  const config = {
    env: { A: "1", B: "two words", EMPTY: "", NCOLONY_NAME: "other" },
    env_inherit: ["B", "HOME", "UNSET"],
  };
  const args = ["/usr/bin/env"];
  const environ = (name: string) => ({ B: "inherited", HOME: "/home/me", SECRET: "s" })[name];
  const source = JSON.stringify({ args, ...config });
  const lines = (await outputOf(args, config, { environ })).trimEnd().split("\n").sort();
  assertEquals(lines, [
    "A=1",
    "B=inherited",
    "EMPTY=",
    "HOME=/home/me",
    `NCOLONY_CONFIG=${source}`,
    "NCOLONY_NAME=web",
    "UNSET=",
  ]);
});

Deno.test("spawnChild() passes every argument unchanged", async () => {
  const args = ["/usr/bin/printf", "<%s>", "", "two words", "$HOME", "--", "é\n*"];
  assertEquals(await outputOf(args), "<><two words><$HOME><--><é\n*>");
});

Deno.test("spawnChild() starts a child in its working directory", async () => {
  using dir = tempDir();
  const cwd = Deno.realPathSync(dir.path);
  assertEquals(await outputOf(["pwd", "-P"], { "ncolony.monitor": { cwd } }), `${cwd}\n`);
  assertEquals(await outputOf(["pwd", "-P"]), `${Deno.cwd()}\n`);
});

Deno.test("spawnChild() searches the child's PATH for a bare command, in order", async () => {
  using dir = tempDir();
  const [one, two] = [command(dir, "one"), command(dir, "two")];
  assertEquals(await outputOf(["hello"], { env: { PATH: `${two}:${one}` } }), "two\n");
  assertEquals(await outputOf(["hello"], { env: { PATH: `/no/such:${one}:${two}` } }), "one\n");
});

Deno.test("spawnChild() skips files in the PATH that cannot be executed", async () => {
  using dir = tempDir();
  const [plain, good] = [command(dir, "plain", 0o644), command(dir, "good")];
  Deno.mkdirSync(dir.file("directory", "hello"), { recursive: true });
  Deno.symlinkSync("nowhere", dir.dir("dangling") + "/hello");
  const path = [plain, dir.file("directory"), dir.file("dangling"), good].join(":");
  assertEquals(await outputOf(["hello"], { env: { PATH: path } }), "good\n");
});

Deno.test("spawnChild() does not search the monitor's PATH for a bare command", () => {
  for (const [PATH, reason] of [["/no/such", /"sh" not found in/], ["/proc", /"sh" not found in/]] as const) {
    const trial = new Trial(["sh"], { env: { PATH } });
    assertEquals(trial.child, null);
    assertMatch(trial.events[0], reason);
    assertEquals(trial.events.slice(1), ["group-exited"]);
  }
});

Deno.test("spawnChild() searches an inherited PATH for a bare command, and no other", async () => {
  using dir = tempDir();
  const environ = (name: string) => name === "PATH" ? command(dir, "mine") : undefined;
  assertEquals(await outputOf(["hello"], { env_inherit: ["PATH"] }, { environ }), "mine\n");
  const trial = new Trial(["sh"], { env_inherit: ["PATH"] });
  assertEquals(trial.child, null);
});

Deno.test("spawnChild() searches /bin and /usr/bin for a bare command if its environment has no PATH", async () => {
  assertMatch(await outputOf(["sh", "-c", "echo $0"]), /^(\/usr)?\/bin\/sh\n$/);
  const trial = new Trial(["no-such-command"]);
  assertEquals(trial.child, null);
  assertMatch(trial.events[0], /"no-such-command" not found in \/bin:\/usr\/bin /);
});

Deno.test("spawnChild() takes a command with a slash as a path relative to the working directory", async () => {
  using dir = tempDir();
  const cwd = command(dir, "here");
  assertEquals(await outputOf(["./hello"], { "ncolony.monitor": { cwd } }), "here\n");
  assertEquals(await outputOf([`${cwd}/hello`], { env: { PATH: "/no/such" } }), "here\n");
});

Deno.test("spawnChild() takes relative entries of the PATH as relative to the working directory", async () => {
  using dir = tempDir();
  const config = { "ncolony.monitor": { cwd: dir.path }, env: { PATH: "bin" } };
  command(dir, "bin");
  assertEquals(await outputOf(["hello"], config), "bin\n");
  assert(!Deno.cwd().startsWith(dir.path));
});
