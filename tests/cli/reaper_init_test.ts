import { assertEquals } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { below, INIT, Reaped, testAs, untilExecuted } from "./reaping.ts";
import { signalIfThere } from "./tools.ts";

testAs(INIT, "reaper is PID 1, and the only process besides its command", async () => {
  await using reaped = new Reaped(["sh", "-c", "echo $PPID; echo /proc/[0-9]*; exit 6"], { role: INIT });
  assertEquals(await reaped.ended(), 6);
  assertEquals(reaped.stdout[0], "1");
  assertEquals(reaped.stdout[1]!.split(" ").length, 2);
  assertEquals(reaped.stderr, []);
});

testAs(INIT, "reaper exits with 127 if the command cannot be started", async () => {
  await using reaped = new Reaped(["no-such-command"], { role: INIT });
  assertEquals(await reaped.ended(), 127);
  assertEquals(reaped.stderr.length, 1);
});

testAs(INIT, "reaper passes signals that the command sends to PID 1 back to the command", async () => {
  const script =
    'trap "echo hup" HUP; trap "echo term; exit 3" TERM; kill -HUP 1; sleep 0.2; kill -TERM 1; while :; do sleep 0.02; done';
  await using reaped = new Reaped(["sh", "-c", script], { role: INIT });
  assertEquals(await reaped.ended(), 3);
  assertEquals(reaped.stdout, ["hup", "term"]);
});

testAs(INIT, "SIGKILL and SIGSTOP from inside the namespace do nothing to PID 1", async () => {
  await using reaped = new Reaped(["sh", "-c", "kill -KILL 1; kill -STOP 1; exit 2"], { role: INIT });
  assertEquals(await reaped.ended(), 2);
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  testAs(
    INIT,
    `${signal} at any time while PID 1 starts does not crash it, and finally reaches the command`,
    async () => {
      await Promise.all(Array.from({ length: 3 }, async () => {
        await using reaped = new Reaped(["sleep", "1000"], { role: INIT });
        const pid = await reaped.pid();
        while (!reaped.isOver && isAlive(pid)) {
          signalIfThere(pid, signal);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        const code = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal];
        assertEquals([await reaped.ended(), reaped.stderr], [code, []]);
      }));
    },
  );
}

testAs(INIT, "a single signal reaches the command as soon as PID 1 has blocked it", async () => {
  for (let round = 0; round < 10; round++) {
    await using reaped = new Reaped(["sleep", "1000"], { role: INIT });
    const pid = await reaped.pid();
    await untilExecuted(reaped);
    Deno.kill(pid, "SIGUSR2");
    assertEquals([round, await reaped.ended(), reaped.stderr], [round, 140, []]);
  }
});

testAs(
  INIT,
  "reaper asks every process in the namespace to exit, and all are gone before PID 1 exits",
  async () => {
    const polite = 'trap "sleep 0.3; echo bye; exit" TERM; echo ready; while :; do sleep 0.02; done';
    const script = '(sh -c "$0" & ); (sh -c "$0" & ); sh -c "$0"; exit 9';
    await using reaped = new Reaped(["--grace", "1000", "sh", "-c", `trap "exit 9" TERM; ${script}`, polite], {
      role: INIT,
    });
    await reaped.waitFor(/^ready$/, 3);
    const pids = await below(reaped.process.pid);
    // reaper, the command, three of these, and perhaps a sleep or more.
    assertEquals(pids.length >= 5, true);
    for (const pid of (await below(pids[0]!)).slice(0, 1)) Deno.kill(pid, "SIGKILL");
    assertEquals(await reaped.ended(), 137);
    assertEquals(reaped.stdout.filter((line) => line === "bye").length, 3);
    assertEquals(pids.filter(isAlive), []);
  },
);
