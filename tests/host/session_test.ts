import { assert, assertEquals, assertMatch } from "@std/assert";
import { isAlive, type TempDir, tempDir, until } from "../helpers.ts";
import { Actor, canRun, IS_ROOT, NOBODY } from "./actors.ts";
import { ending, Trial } from "./children.ts";
import { deny, HandClock, replace } from "./fakes.ts";

const SETSID = "/usr/bin/setsid";
const ID = "/usr/bin/id";
const ignore = !canRun(SETSID, "true");

/** Defines a test. Each test has its own commands, because earlier starts are remembered. */
function test(name: string, fn: (dir: TempDir) => Promise<void>, isIgnored = false): void {
  Deno.test({
    name: `${name}${ignore || isIgnored ? " (skipped: needs setsid, or root)" : ""}`,
    ignore: ignore || isIgnored,
    fn: async () => {
      using dir = tempDir();
      await fn(dir);
    },
  });
}

/** Records the commands that Deno starts. `delay` is a shell command that runs before setsid. */
function noteCommands(delay?: string): Disposable & { readonly commands: string[] } {
  const { Command } = Deno;
  const commands: string[] = [];
  const noting = class extends Command {
    constructor(command: string | URL, options: Deno.CommandOptions = {}) {
      if (command !== ID) commands.push(`${command}${options.detached ? " detached" : ""}`);
      const isDelayed = command === SETSID && delay !== undefined;
      const args = ["-c", `${delay}; exec ${SETSID} "$@"`, "sh", ...options.args ?? []];
      super(isDelayed ? "/bin/sh" : command, isDelayed ? { ...options, args } : options);
    }
  };
  return { commands, ...replace(Deno, "Command", noting) };
}

/** Records the paths that are checked. Paths for which `isMissing` returns true are not found. */
function noteLooks(isMissing: (path: string) => boolean = () => false): Disposable & { readonly paths: string[] } {
  const { statSync } = Deno;
  const paths: string[] = [];
  const noting = (path: string | URL) => {
    paths.push(`${path}`);
    if (isMissing(`${path}`)) throw new Deno.errors.NotFound();
    return statSync(path);
  };
  return { paths, ...replace(Deno, "statSync", noting) };
}

/** Writes a script. Returns its path. */
function script(dir: TempDir, text: string, name = "script"): string {
  const path = dir.write(name, text);
  Deno.chmodSync(path, 0o755);
  return path;
}

async function resultOf(...options: ConstructorParameters<typeof Trial>): Promise<{ text: string; events: string[] }> {
  await using trial = new Trial(...options);
  if (trial.child !== null) await trial.emptied();
  return { text: trial.text.stdout, events: trial.events };
}

test("spawnChild() starts a command by fork the first time, and by setsid after that", async (dir) => {
  const text = '#!/bin/sh\nread -r stat < /proc/self/stat; echo $stat; echo "$0" "$@"; read -r line';
  const path = script(dir, text);
  using noted = noteCommands();
  for (let i = 0; i < 3; i++) {
    await using trial = new Trial([path, "-a", "", "two words"]);
    const [pid, , , , group, session] = (await trial.line()).split(" ");
    assertEquals([pid, group, session], Array(3).fill(`${trial.pid}`));
    await until("it says how it was called", () => trial.text.stdout.endsWith(`\n${path} -a  two words\n`));
  }
  assertEquals(noted.commands, [`${path} detached`, SETSID, SETSID]);
});

test("spawnChild() starts a command relative to the working directory by setsid", async (dir) => {
  script(dir, '#!/bin/sh\npwd; echo "$0"');
  using noted = noteCommands();
  const cwd = Deno.realPathSync(dir.path);
  for (let i = 0; i < 2; i++) {
    const { text } = await resultOf(["./script"], { "ncolony.monitor": { cwd } });
    assertEquals(text, `${cwd}\n${cwd}/script\n`);
  }
  assertEquals(noted.commands[1], SETSID);
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  for (const kill_scope of ["group", "process"]) {
    test(`Child.signal() reaches with ${signal} a ${kill_scope} that does not exist yet`, async (dir) => {
      const path = script(dir, "#!/bin/sh\necho started; exec sleep 300");
      await new Trial([path])[Symbol.asyncDispose]();
      using _noted = noteCommands("read -r line");
      await using trial = new Trial([path], { "ncolony.monitor": { kill_scope } });
      trial.child?.signal(signal);
      await trial.emptied();
      assertEquals([trial.events, trial.text.stdout], [[`leader-exited: ${signal}`, "group-exited"], ""]);
    });
  }
}

test("Child.signal() reaches a group that was created late", async (dir) => {
  const path = script(dir, "#!/bin/sh\nsleep 300 & echo started; wait");
  const clock = new HandClock();
  await new Trial([path], {}, { clock })[Symbol.asyncDispose]();
  using _noted = noteCommands("sleep 0.1");
  await using trial = new Trial([path], {}, { clock });
  assertEquals(await trial.line(), "started");
  trial.child?.signal("SIGTERM");
  await until("nobody is left", () => {
    clock.advance(1);
    return trial.events.includes("group-exited");
  });
  assertEquals(trial.events, ["leader-exited: SIGTERM", "group-exited"]);
});

test("Child.signal() does not signal a leader that ended by a signal without a name, once its group is gone", async () => {
  await using trial = new Trial(["/bin/sh", "-c", "sleep 300 & echo $!; kill -40 $$"], {}, { clock: new HandClock() });
  const member = Number(await trial.line());
  await until("the leader's end is told", () => trial.events.length > 0);
  Deno.kill(member, "SIGKILL");
  await until("the group is gone", () => !isAlive(-trial.pid));
  let kills = 0;
  using _replaced = replace(Deno.ChildProcess.prototype, "kill", () => void kills++);
  trial.child?.signal("SIGTERM");
  assertEquals([kills, trial.events], [0, ["leader-exited: signal 40"]]);
});

test("spawnChild() reports at once that a command is gone, or can no longer be executed", async (dir) => {
  const path = script(dir, "#!/bin/sh\n");
  assertEquals((await resultOf([path])).events, ["leader-exited: exit code 0", "group-exited"]);
  Deno.chmodSync(path, 0o644);
  assertMatch((await resultOf([path])).events[0], /^leader-exited: cannot start: .*denied/);
  Deno.removeSync(path);
  assertMatch((await resultOf([path])).events[0], /^leader-exited: cannot start: .*no such file or directory/);
});

test("spawnChild() reports at the second start that a script's interpreter is gone", async (dir) => {
  const interpreter = dir.file("interpreter");
  Deno.symlinkSync("/bin/sh", interpreter);
  const path = script(dir, `#!${interpreter}\n`);
  await resultOf([path]);
  Deno.removeSync(interpreter);
  assertEquals((await resultOf([path])).events, ["leader-exited: exit code 127", "group-exited"]);
  assertMatch(
    (await resultOf([path])).events[0],
    /^leader-exited: cannot start: .*interpreter: no such file or directory/,
  );
});

test("spawnChild() starts a command by fork that once exited as if setsid could not execute it", async (dir) => {
  using noted = noteCommands();
  for (const code of [126, 127]) {
    const path = script(dir, `#!/bin/sh\nexit ${code}`, `${code}`);
    for (let i = 0; i < 4; i++) await resultOf([path]);
    const forked = `${path} detached`;
    assertEquals(noted.commands.splice(0), [forked, SETSID, forked, forked]);
  }
  const path = script(dir, "#!/bin/sh\nexit 125");
  for (let i = 0; i < 3; i++) await resultOf([path]);
  assertEquals(noted.commands, [`${path} detached`, SETSID, SETSID]);
});

test("spawnChild() does not pass a command's variables of the dynamic linker to setsid", async (dir) => {
  const path = script(dir, '#!/bin/sh\necho "$LD_LIBRARY_PATH"');
  using noted = noteCommands();
  for (let i = 0; i < 2; i++) {
    assertEquals((await resultOf([path], { env: { LD_LIBRARY_PATH: "/no/such" } })).text, "/no/such\n");
  }
  assertEquals(noted.commands, Array(2).fill(`${path} detached`));
});

test("spawnChild() reports arguments that are too long after a start by fork", async (dir) => {
  const path = script(dir, "#!/bin/sh\n");
  await resultOf([path]);
  using noted = noteCommands();
  const { events } = await resultOf([path], { env_inherit: ["LONG"] }, { environ: () => "x".repeat(200_000) });
  assertMatch(events[0], /^leader-exited: cannot start: .*[Aa]rgument list too long/);
  assert(!events[0].includes("setsid"));
  assertEquals(noted.commands, [SETSID, `${path} detached`]);
});

test("spawnChild() starts a command of another user by fork", async () => {
  using noted = noteCommands();
  for (let i = 0; i < 2; i++) await resultOf(["/bin/true"], { uid: NOBODY });
  assertEquals(noted.commands, Array(2).fill("/bin/true detached"));
}, !IS_ROOT);

test("spawnChild() gives a child of root no supplementary group, however often it starts", async () => {
  for (const [groups, told] of [["1,2,3", "0"], ["0", "0"]]) {
    await using actor = new Actor(["spawn-many", "3", "/usr/bin/id", "-G"], ["setpriv", "--groups", groups]);
    assertEquals(await actor.result(), `${told}\n`.repeat(3));
  }
}, !IS_ROOT || !canRun("setpriv", "--version"));

for (
  const [free, told] of [[8, "exit code 0"], [7, "exit code 0"], [6, "exit code 0"], [5, "cannot start: .*open files"]]
) {
  test(
    `spawnChild() starts a known command with six free file descriptors, but not with five (here ${free})`,
    async () => {
      await using actor = new Actor(["scarce", `${free}`, "/bin/true"], ["prlimit", "--nofile=64:64"]);
      assertMatch(await actor.result(), new RegExp(`^"?leader-exited: ${told}`));
    },
    !canRun("prlimit", "--version"),
  );
}

test("a program with nothing else to wait for waits for its children", async () => {
  await using actor = new Actor(["spawn-many", "3", "/bin/sh", "-c", "sleep 0.2; echo ended"]);
  assertEquals(await actor.result(), "ended\n".repeat(3));
});

test("a program that ends by an error leaves its children running", async () => {
  await using actor = new Actor(["throw", "3", "/bin/sh", "-c", "echo $$; exec sleep 300"]);
  assertEquals(await actor.code(), 1);
  const pids = actor.stdout.trim().split("\n").map(Number);
  using _ends = new DisposableStack();
  for (const pid of pids) _ends.use(ending(pid));
  assertEquals(pids.map(isAlive), [true, true, true]);
});

test("spawnChild() starts a command by fork if there is no setsid", async () => {
  using noted = noteCommands();
  using _looks = noteLooks((path) => path === SETSID);
  for (let i = 0; i < 2; i++) await resultOf(["/bin/true"]);
  assertEquals(noted.commands, Array(2).fill("/bin/true detached"));
});

for (const [name, kind] of [["read"], ["run"], ["sys", "uid"], ["sys", "gid"]] as const) {
  test(`spawnChild() starts a command by fork, and checks nothing, without the permission ${[name, kind]}`, async (dir) => {
    const path = script(dir, "#!/bin/sh");
    using _denied = deny(name, kind);
    using noted = noteCommands();
    using looks = noteLooks();
    for (let i = 0; i < 2; i++) assertEquals((await resultOf([path])).events.length, 2);
    assertEquals([noted.commands, looks.paths], [Array(2).fill(`${path} detached`), []]);
  });
}
