import { assertEquals } from "@std/assert";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { tempDir, until } from "../helpers.ts";
import { INIT, SUBREAPER } from "./reaping.ts";
import { gone, run } from "./tools.ts";
import { REAPER, SHELL, Terminal, testOnTerminal } from "./terminal.ts";

const [CTRL_C, CTRL_D, CTRL_Z, CTRL_BACKSLASH] = ["\x03", "\x04", "\x1a", "\x1c"];

/** Prints signals, and exits with 3 on SIGTERM. */
const COUNTS = `
for it in INT WINCH USR2; do trap "echo told $it" $it; done
trap "exit 3" TERM
(trap "" INT; exec sleep 1000) &
tty; echo ready
while :; do wait; done`;

/** Prints that it runs, in words that differ from those typed, and then runs for a long time. */
const LASTS = "sh -c 'echo up $((20 + 2)); exec sleep 1000'\n";
const UP = "up 22\r\n";

/** Returns a reaper with a command that counts. */
function counting(...argv: string[]): string[] {
  return [...REAPER, ...argv, "--grace", "0", "sh", "-c", COUNTS];
}

/** Sends a SIGUSR2, after which no earlier signal can still arrive. Returns how often `text` was seen. */
async function countAtFence(terminal: Terminal, text: string, fences: number): Promise<number> {
  Deno.kill((await terminal.pids())[0]!, "SIGUSR2");
  await terminal.waitFor("told USR2", fences);
  return terminal.count(text);
}

for (const role of [SUBREAPER, INIT]) {
  testOnTerminal(role, "Ctrl-C ends what the shell runs, and the shell goes on and returns its exit code", async () => {
    await using terminal = new Terminal([...REAPER, ...SHELL], role);
    for (const round of [1, 2]) {
      await terminal.type(LASTS);
      await terminal.waitFor(UP, round);
      await terminal.type(CTRL_C);
      await terminal.type("echo went on with $?\n");
      await terminal.waitFor("went on with 130", round);
    }
    await terminal.type("exit 9\n");
    assertEquals(await terminal.ended(), 9);
    assertEquals(terminal.seen.includes("job control"), false, terminal.seen);
  });

  testOnTerminal(role, "Ctrl-Z stops what the shell runs, jobs shows it, and fg resumes it", async () => {
    await using terminal = new Terminal([...REAPER, ...SHELL], role);
    await terminal.type("sh -c 'echo up $((20 + 2)); read it; echo got $it'\n");
    await terminal.waitFor(UP);
    await terminal.type(CTRL_Z);
    await terminal.waitFor("Stopped");
    await terminal.type("jobs\n");
    await terminal.waitFor("Stopped", 2);
    await terminal.type("fg\n");
    await terminal.type("a line\n");
    await terminal.waitFor("got a line\r\n");
    await terminal.type(CTRL_D);
    assertEquals(await terminal.ended(), 0);
  });

  for (const argv of [[], ["--group"]]) {
    const how = argv.length > 0 ? ` with ${argv}` : "";
    testOnTerminal(role, `Ctrl-C is one SIGINT for the command${how}, and so is SIGINT to reaper`, async () => {
      await using terminal = new Terminal(counting(...argv), role);
      await terminal.waitFor("ready");
      for (let round = 1; round <= 8; round++) {
        await terminal.type(CTRL_C);
        await terminal.waitFor("told INT", 2 * round - 1);
        assertEquals(await countAtFence(terminal, "told INT", 2 * round - 1), 2 * round - 1);
        Deno.kill((await terminal.pids())[0]!, "SIGINT");
        await terminal.waitFor("told INT", 2 * round);
        assertEquals(await countAtFence(terminal, "told INT", 2 * round), 2 * round);
      }
      Deno.kill((await terminal.pids())[0]!, "SIGTERM");
      assertEquals(await terminal.ended(), 3);
    });

    testOnTerminal(role, `a new window size is one SIGWINCH for the command${how}`, async () => {
      await using terminal = new Terminal(counting(...argv), role);
      await terminal.waitFor("ready");
      // A command in its own session still has the terminal as its stdin.
      const tty = /\/dev\/pts\/\d+/.exec(terminal.seen)![0];
      for (let round = 1; round <= 8; round++) {
        assertEquals((await run(["stty", "-F", tty, "cols", `${80 + round}`])).code, 0);
        await terminal.waitFor("told WINCH", round);
        assertEquals(await countAtFence(terminal, "told WINCH", round), round);
      }
    });
  }

  for (const [name, key, code] of [["Ctrl-C", CTRL_C, 130], ["Ctrl-\\", CTRL_BACKSLASH, 131]] as const) {
    testOnTerminal(role, `${name} ends a command with the default action, and reaper exits with ${code}`, async () => {
      await using terminal = new Terminal([...REAPER, "sh", "-c", "echo ready; ulimit -c 0; exec sleep 1000"], role);
      await terminal.waitFor("ready");
      await terminal.type(key);
      assertEquals(await terminal.ended(), code);
    });
  }

  testOnTerminal(
    role,
    "the command has reaper's session, or with --group its own session without a terminal",
    async () => {
      const script = "read pid name state parent group session tty rest < /proc/$$/stat; " +
        "echo $((pid == group)) $((pid == session)) $((tty != 0)) told";
      for (const [argv, expected] of [[[], "0 0 1 told"], [["--group"], "1 1 0 told"]] as const) {
        await using terminal = new Terminal([...REAPER, ...argv, "sh", "-c", script], role);
        assertEquals([await terminal.ended(), terminal.seen.trim()], [0, expected]);
      }
    },
  );
}

testOnTerminal(SUBREAPER, "a closed terminal is one SIGHUP for the command", async () => {
  using dir = tempDir();
  const told = dir.write("told", "");
  const script = `
for it in HUP USR2; do trap "echo $it >> $0" $it; done
trap "exit 3" TERM
(trap "" HUP; exec sleep 1000) &
echo ready
while :; do wait; done`;
  await using terminal = new Terminal([...REAPER, "--grace", "0", "sh", "-c", script, told]);
  await terminal.waitFor("ready");
  const pids = await terminal.pids();
  await terminal.hangUp();
  await until("it is told", () => Deno.readTextFileSync(told) !== "");
  Deno.kill(pids[0]!, "SIGUSR2");
  await until("it is told more", () => Deno.readTextFileSync(told).includes("USR2"));
  assertEquals(Deno.readTextFileSync(told), "HUP\nUSR2\n");
  Deno.kill(pids[0]!, "SIGTERM");
  await gone(...pids);
});

testOnTerminal(
  SUBREAPER,
  "Ctrl-C is one SIGINT for a command whose stdin, stdout and stderr are elsewhere",
  async () => {
    using dir = tempDir();
    const [script, told] = [dir.file("script"), dir.file("told")];
    dir.write("script", `echo $PPID; ${COUNTS}`);
    dir.write("told", "");
    await using terminal = new Terminal(SHELL);
    await terminal.type(`sleep 1000 | ${REAPER.join(" ")} --grace 0 sh ${script} > ${told} 2>&1\n`);
    const lines = () => Deno.readTextFileSync(told).split("\n");
    const count = (line: string) => lines().filter((it) => it === line).length;
    await until("it is ready", () => count("ready") === 1);
    const pid = Number(lines()[0]);
    for (let round = 1; round <= 8; round++) {
      await terminal.type(CTRL_C);
      await until("the signal is told", () => count("told INT") >= round);
      Deno.kill(pid, "SIGUSR2");
      await until("the fence is told", () => count("told USR2") === round);
      assertEquals(count("told INT"), round);
    }
    Deno.kill(pid, "SIGTERM");
    await terminal.type("exit $((20 + ${PIPESTATUS[1]}))\n");
    assertEquals(await terminal.ended(), 23);
  },
);

testOnTerminal(SUBREAPER, "a shell in a shell exits, and the outer one gets its terminal back", async () => {
  await using terminal = new Terminal(SHELL);
  await terminal.type(`${[...REAPER, ...SHELL].join(" ")}\n`);
  await terminal.type("echo inner $((20 + 2)); exit 4\n");
  await terminal.waitFor("inner 22");
  await terminal.type("echo outer $((20 + 2)) $?\n");
  await terminal.waitFor("outer 22 4");
  await terminal.type(LASTS);
  await terminal.waitFor(UP);
  await terminal.type(CTRL_C);
  await terminal.type("exit\n");
  assertEquals(await terminal.ended(), 130);
});

testOnTerminal(
  SUBREAPER,
  "Ctrl-Z stops reaper and its command for the shell that runs it, and fg resumes both",
  async () => {
    await using terminal = new Terminal(SHELL);
    await terminal.type(`${REAPER.join(" ")} sh -c 'echo up $((20 + 2)); read it; echo got $it'\n`);
    await terminal.waitFor(UP);
    await terminal.type(CTRL_Z);
    await terminal.waitFor("Stopped");
    await terminal.type("fg\n");
    await terminal.type("a line\n");
    await terminal.waitFor("got a line\r\n");
  },
);

testOnTerminal(SUBREAPER, "reaper prompts for no permission to report a missing command", async () => {
  const command = [Deno.execPath(), "run", "--quiet", "--frozen", ...PERMISSIONS.reaper, "reaper/mod.ts"];
  await using terminal = new Terminal([...command, "/no/such/command"]);
  await terminal.waitFor('command "/no/such/command" or its interpreter: no such file or directory');
  assertEquals(await terminal.ended(), 127);
});

testOnTerminal(
  SUBREAPER,
  "a background command that reads is stopped, which its shell sees, and fg resumes it",
  async () => {
    await using terminal = new Terminal(SHELL);
    const words = REAPER.map((word) => `'${word}'`).join(" ");
    await terminal.type(`${words} -- cat &\n`);
    await terminal.type("until jobs | grep -q Stopped; do sleep 0.1; done; echo it is $((20 + 2))\n");
    await terminal.waitFor("it is 22\r\n");
    await terminal.type("fg\n");
    await terminal.type("a line\n");
    await terminal.waitFor("a line\r\n", 2);
    await terminal.type(CTRL_D);
    await terminal.type("echo went on with $?\n");
    await terminal.waitFor("went on with 0\r\n");
    await terminal.type("exit 9\n");
    assertEquals(await terminal.ended(), 9);
  },
);

testOnTerminal(SUBREAPER, "Ctrl-Z stops a command behind a pipe, which its shell sees, and fg resumes it", async () => {
  await using terminal = new Terminal(SHELL);
  const words = REAPER.map((word) => `'${word}'`).join(" ");
  // A shell may not stop while it starts a program, so this one starts none.
  const script = `trap "echo resumed \\$((20 + 4))" CONT; echo up $((20 + 2)); while :; do read it; done`;
  await terminal.type(`sleep 1000 | ${words} -- sh -c '${script}'\n`);
  await terminal.waitFor(UP);
  await terminal.type(CTRL_Z);
  await terminal.waitFor("Stopped");
  await terminal.type("fg\n");
  // Before that line, the terminal may still belong to the shell.
  await terminal.waitFor("resumed 24\r\n");
  await terminal.type(CTRL_C);
  await terminal.type("echo went on $((20 + 3))\n");
  await terminal.waitFor("went on 23\r\n");
  await terminal.type("exit 9\n");
  assertEquals(await terminal.ended(), 9);
});
