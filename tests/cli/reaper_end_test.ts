import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { isAlive, until } from "../helpers.ts";
import { ALL, endAll, FORK_BOMB, HAS_CGROUPS, running, statesOf, uniqueSleep, untilRunning } from "./escapes.ts";
import { below, INIT, Reaped, SUBREAPER, testAs, untilStopped } from "./reaping.ts";
import { gone, hasCommand, IS_ROOT, run, sh, signalIfThere, toolCommand } from "./tools.ts";

/** Takes a while to exit when it is asked to, and prints a line then. */
const POLITE = `trap 'sleep 0.3; echo bye; exit' TERM; echo ready; while :; do sleep 0.02; done`;

/** Does not exit when it is asked to. */
const STUBBORN = `trap '' TERM; echo ready; while :; do sleep 0.02; done`;

/** Starts a child when it is asked to exit, which does not exit when it is asked to. */
const FERTILE = `trap 'sh -c "$0" & exit' TERM; echo ready; while :; do sleep 0.02; done`;

/** Returns a command that leaves a script behind, and exits with 5 after a line on stdin. */
function leaving(script: string, how = ""): string[] {
  return ["sh", "-c", `${how} sh -c "$1" "$0" & read it; exit 5`, STUBBORN, script];
}

/** Waits until a command has left so many scripts behind, and ends it. Returns how long that took, in milliseconds. */
async function endAfter(reaped: Reaped, count = 1): Promise<number> {
  await reaped.waitFor(/^ready$/, count);
  const pids = await below(reaped.process.pid);
  const start = performance.now();
  await reaped.say("end");
  assertEquals(await reaped.ended(), 5);
  const took = performance.now() - start;
  assertLess(count, pids.length);
  // At once, because reaper has waited for them.
  assertEquals(pids.filter(isAlive), []);
  return took;
}

for (const role of [SUBREAPER, INIT]) {
  testAs(role, "reaper asks what the command leaves behind to exit, and gives it time for that", async () => {
    await using reaped = new Reaped(["--grace", "1000", "--", ...leaving(POLITE)], { role });
    await endAfter(reaped);
    assertEquals(reaped.stdout, ["ready", "bye"]);
  });

  testAs(role, "reaper kills what has not exited after --grace", async () => {
    await using reaped = new Reaped(["--grace", "0.5", ...leaving(STUBBORN)], { role });
    const took = await endAfter(reaped);
    assertLess(450, took);
    assertLess(took, 5000);
  });

  testAs(role, "reaper kills what is left at once with --grace 0", async () => {
    await using reaped = new Reaped(["--grace", "0", ...leaving(POLITE)], { role });
    assertLess(await endAfter(reaped), 5000);
    assertEquals(reaped.stdout, ["ready"]);
  });

  testAs(role, "reaper ends what is started while its parent is ended", async () => {
    await using reaped = new Reaped(["--grace", "1", ...leaving(FERTILE)], { role });
    assertLess(await endAfter(reaped), 5500);
    assert(reaped.stdout.length <= 2);
  });

  testAs(role, "reaper sends no SIGTERM to what a cleanup starts", async () => {
    const script = `trap 'sleep 0.3 && echo slept; exit' TERM; echo ready; while :; do sleep 0.02; done`;
    await using reaped = new Reaped(["--grace", "1000", ...leaving(script)], { role });
    await endAfter(reaped);
    assertEquals(reaped.stdout, ["ready", "slept"]);
  });

  testAs(role, "reaper asks a stopped process to exit, and continues it", async () => {
    const script = `trap 'echo bye; exit' TERM; echo ready; kill -STOP $$; while :; do sleep 0.02; done`;
    await using reaped = new Reaped(["--grace", "1000", ...leaving(script)], { role });
    await reaped.waitFor(/^ready$/);
    const [leftover] = (await below(reaped.process.pid)).slice(-1);
    await untilStopped(reaped, leftover!);
    await endAfter(reaped);
    assertEquals(reaped.stdout, ["ready", "bye"]);
  });

  for (const how of ["setsid", "nohup"]) {
    const isThere = hasCommand(how);
    testAs(
      role,
      `reaper ends what left the group by ${how}${isThere ? "" : " (not tried: it is missing)"}`,
      async () => {
        if (!isThere) return;
        await using reaped = new Reaped(["--grace", "0.5", ...leaving(STUBBORN, how)], { role });
        await endAfter(reaped);
      },
    );
  }

  testAs(role, "reaper ends a whole tree, down to great-grandchildren and stopped processes", async () => {
    const script = `sleep 1000 & kill -STOP $!; sh -c 'sh -c "sleep 1000 & echo ready; wait" & wait' & wait`;
    await using reaped = new Reaped(["--grace", "0.5", ...leaving(script)], { role });
    await endAfter(reaped);
  });

  testAs(role, "reaper exits at once if nothing is left, whatever --grace is", async () => {
    await using reaped = new Reaped(["--grace", "1000", "--kill-after", "1000", "sh", "-c", "exit 4"], { role });
    assertEquals(await reaped.ended(), 4);
  });

  testAs(role, "reaper kills a command that ignores SIGTERM after --kill-after", async () => {
    await using reaped = new Reaped(["--kill-after", "0.4", "sh", "-c", STUBBORN], { role });
    await reaped.waitFor(/^ready$/);
    const start = performance.now();
    await reaped.signal("SIGTERM");
    assertEquals(await reaped.ended(), 137);
    assertLess(350, performance.now() - start);
  });

  testAs(role, "reaper counts --kill-after from the first SIGTERM, and from no other signal", async () => {
    await using reaped = new Reaped(["--kill-after", "0.6", "sh", "-c", `trap 'echo int' INT; ${STUBBORN}`], { role });
    await reaped.waitFor(/^ready$/);
    await reaped.signal("SIGINT");
    await reaped.waitFor(/^int$/);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assertEquals(reaped.isOver, false);
    const timer = setInterval(() => void reaped.signal("SIGTERM").catch(() => {}), 100);
    try {
      assertEquals(await reaped.ended(), 137);
    } finally {
      clearInterval(timer);
    }
  });

  testAs(role, "reaper kills the command's whole group after --kill-after with --group", async () => {
    const script = `sh -c "$0" & echo "child $!"; ${STUBBORN}`;
    const argv = ["--group", "--kill-after", "0.3", "--grace", "1000", "sh", "-c", script, STUBBORN];
    await using reaped = new Reaped(argv, { role });
    await reaped.waitFor(/^ready$/, 2);
    await reaped.signal("SIGTERM");
    assertEquals(await reaped.ended(), 137);
  });

  testAs(role, "reaper sends no signal to a process that is not below it", async () => {
    const signals = "TERM INT HUP QUIT CONT USR1";
    const script = `for it in ${signals}; do trap "echo $it" $it; done; echo ready; while :; do sleep 0.02; done`;
    // In the group of the tests and of reaper, like another process in the same container.
    const bystander = new Deno.Command("sh", { args: ["-c", script], stdin: "null", stdout: "piped" }).spawn();
    let heard = "";
    const reading = (async () => {
      for await (const text of bystander.stdout.pipeThrough(new TextDecoderStream())) heard += text;
    })();
    try {
      await until("the bystander is ready", () => heard === "ready\n");
      await using reaped = new Reaped(["--grace", "0.3", ...leaving(STUBBORN)], { role });
      await endAfter(reaped);
      assert(isAlive(bystander.pid));
      bystander.kill("SIGUSR1");
      await until("it hears", () => heard.includes("USR1\n"));
      assertEquals(heard, "ready\nUSR1\n");
    } finally {
      signalIfThere(bystander.pid, "SIGKILL");
      await bystander.status;
      await reading;
    }
    await gone(bystander.pid);
  });
}

Deno.test({
  name: `reaper with --allow-all ends a fork bomb by its cgroup${HAS_CGROUPS ? "" : " (skipped: needs cgroups)"}`,
  ignore: !HAS_CGROUPS || !IS_ROOT,
  fn: async () => {
    const uid = 40_000 + Deno.pid % 10_000;
    const bomb = `prlimit --nproc=100 setpriv --reuid=${uid} --clear-groups perl -e '${FORK_BOMB}' &`;
    const leader = [...sh(`${bomb} cat /proc/self/cgroup; read it; exit 5`)];
    const reaper = toolCommand("reaper/mod.ts", ALL);
    const child = new Deno.Command(reaper[0]!, {
      args: [...reaper.slice(1), "--grace", "0.1", "--", ...leader],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = child.output();
    await until("the limit of the bomb is reached", async () => (await statesOf(uid)).length >= 90);
    await child.stdin.close();
    const { code, stdout } = await output;
    assertEquals(code, 5);
    assertEquals((await statesOf(uid)).filter((state) => !state.startsWith("Z")), []);
    const [, cgroup] = /^0::(.*)$/m.exec(new TextDecoder().decode(stdout))!;
    assertStringIncludes(cgroup!, "/ncolony-command-");
    const there = await run(sh(`find /sys/fs/cgroup -name '${cgroup!.split("/").at(-1)}' | grep .`));
    assertEquals(there.code, 1, "its cgroup is removed");
  },
});

Deno.test({
  name: `reaper with --allow-all ends what root moved out of its cgroup${
    HAS_CGROUPS ? "" : " (skipped: needs cgroups)"
  }`,
  ignore: !HAS_CGROUPS || !IS_ROOT,
  fn: async () => {
    const sleep = uniqueSleep();
    const parent = `$(awk '/ - cgroup2 /{print $5}' /proc/self/mountinfo)/$(sed -n 's/^0:://p' /proc/self/cgroup)/..`;
    const moved = `echo $$ > "${parent}/cgroup.procs"; trap '' TERM; while :; do ${sleep}; done`;
    const reaper = toolCommand("reaper/mod.ts", ALL);
    const child = new Deno.Command(reaper[0]!, {
      args: [...reaper.slice(1), "--grace", "0.1", "--", ...sh(`sh -c "$0" & read it; exit 5`), moved],
      stdin: "piped",
    }).spawn();
    try {
      await untilRunning(sleep, 1);
      await child.stdin.close();
      assertEquals((await child.status).code, 5);
      assertEquals(await running(sleep), []);
    } finally {
      signalIfThere(child.pid, "SIGKILL");
      await child.status;
      await endAll(sleep);
    }
  },
});
