import { assert, assertEquals } from "@std/assert";
import { below, INIT, LONELY_INIT, procOf, Reaped, type ReapedOptions, SUBREAPER, testAs } from "./reaping.ts";
import { hasCommand, IS_ROOT, run } from "./tools.ts";

/** The signals that reaper passes on. SIGTERM is last, because it starts the time of --kill-after. */
const PASSED = [
  ..."INT HUP QUIT USR1 USR2 WINCH ALRM VTALRM PROF CONT TSTP TTIN TTOU URG XCPU XFSZ".split(" "),
  // IO, PWR and some real-time signals, whose names not all shells know.
  ..."29 30 34 37 50 64".split(" "),
  "TERM",
];

/** Prints every signal as soon as it comes. */
const COUNTS = `
for it in ${PASSED.join(" ")}; do trap "echo $0 $it >&2" $it; done
(trap "" ${PASSED.join(" ")}; exec sleep 1000) &
echo "$0 ready" >&2
while :; do wait; done`;

/** Runs two of them in a group whose leader prints nothing. */
const BOTH = `trap : ${PASSED.join(" ")}; sh -c "$0" a | sh -c "$0" b`;

const PORT_9229 = /^ *\d+: [0-9A-F]+:240D /m;

for (const role of [SUBREAPER, INIT]) {
  testAs(role, "reaper passes every signal to the command exactly once, and to no other process", async () => {
    await using reaped = new Reaped(["--", "sh", "-c", COUNTS, "it"], { role });
    await reaped.waitFor(/^it ready$/);
    const told = ["it ready"];
    for (const signal of PASSED) {
      await reaped.send(signal);
      told.push(`it ${signal}`);
      await reaped.waitFor(new RegExp(`^it ${signal}$`));
    }
    await reaped.signal("SIGUSR2");
    await reaped.waitFor(/^it USR2$/, 2);
    assertEquals(reaped.stderr, [...told, "it USR2"]);
  });

  testAs(role, "reaper sends no signal to a child of the command", async () => {
    const script = 'sh -c "$0" child & exec sh -c "$0" it';
    await using reaped = new Reaped(["sh", "-c", script, COUNTS], { role });
    for (const who of ["it", "child"]) await reaped.waitFor(new RegExp(`^${who} ready$`));
    for (const signal of PASSED) {
      await reaped.send(signal);
      await reaped.waitFor(new RegExp(`^it ${signal}$`));
    }
    for (const pid of await below(await reaped.pid())) Deno.kill(pid, "SIGUSR2");
    await reaped.waitFor(/^child USR2$/);
    assertEquals(reaped.stderr.filter((line) => line.startsWith("child")), ["child ready", "child USR2"]);
  });

  testAs(role, "reaper passes every signal to the command's whole group exactly once with --group", async () => {
    await using reaped = new Reaped(["--group", "--", "sh", "-c", BOTH, COUNTS], { role });
    for (const who of ["a", "b"]) await reaped.waitFor(new RegExp(`^${who} ready$`));
    for (const signal of PASSED) {
      await reaped.send(signal);
      for (const who of ["a", "b"]) await reaped.waitFor(new RegExp(`^${who} ${signal}$`));
    }
    await reaped.signal("SIGUSR2");
    for (const who of ["a", "b"]) await reaped.waitFor(new RegExp(`^${who} USR2$`), 2);
    for (const who of ["a", "b"]) {
      const expected = ["ready", ...PASSED, "USR2"].map((it) => `${who} ${it}`);
      assertEquals(reaped.stderr.filter((line) => line.startsWith(who)), expected);
    }
  });
}

/** Returns the signal masks of a command, without 32 and 33, which the C library reserves and Deno ignores. */
async function masks(options: ReapedOptions, argv: readonly string[] = []): Promise<Record<string, bigint>> {
  await using reaped = new Reaped([...argv, "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"], options);
  assertEquals(await reaped.ended(), 0);
  const lines = reaped.stdout.map((line) => line.split(":\t"));
  return Object.fromEntries(lines.map(([name, mask]) => [name, BigInt(`0x${mask}`) & ~0x180000000n]));
}

for (const role of [SUBREAPER, INIT]) {
  testAs(role, "the command starts with no signal blocked or ignored", async () => {
    for (const argv of [[], ["--group"]]) assertEquals(await masks({ role }, argv), { SigBlk: 0n, SigIgn: 0n });
  });
}

const BLOCKING = ["env", "--block-signal=USR1,CHLD,TERM"];
const canBlock = (await run([...BLOCKING, "true"])).code === 0;

Deno.test({
  name: `the command starts with no blocked signal even if reaper has some${
    canBlock ? "" : " (skipped: env cannot block signals)"
  }`,
  ignore: !canBlock,
  fn: async () => {
    assertEquals(await masks({ wrap: BLOCKING }), { SigBlk: 0n, SigIgn: 0n });
    const all = [`env`, `--block-signal=${PASSED.join()}`];
    assertEquals(await masks({ wrap: all }), { SigBlk: 0n, SigIgn: 0n });
  },
});

testAs(LONELY_INIT, "SIGUSR1 opens no inspector, however often it comes, and reaches the command", async () => {
  await using reaped = new Reaped(["--", "sh", "-c", COUNTS, "it"], { role: LONELY_INIT });
  await reaped.waitFor(/^it ready$/);
  const pid = await reaped.pid();
  for (let count = 1; count <= 20; count++) {
    for (let burst = 0; burst < 20; burst++) Deno.kill(pid, "SIGUSR1");
    await reaped.waitFor(/^it USR1$/, count);
    // Deno opens it only after it has run for a while.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertEquals(PORT_9229.test(await procOf(pid, "net/tcp")), false);
  assertEquals([...new Set(reaped.stderr)], ["it ready", "it USR1"]);
});

testAs(LONELY_INIT, "SIGUSR1 opens no inspector while reaper starts", async () => {
  // Deno begins to listen for SIGUSR1 after half a second.
  const script = 'trap : USR1; for it in 1 2 3 4 5 6 7 8; do sleep 0.2; done; cat /proc/net/tcp; echo "ends"';
  const starts = Array.from({ length: 4 }, async () => {
    await using reaped = new Reaped(["sh", "-c", `${script}; exit 5`], { role: LONELY_INIT });
    const pid = await reaped.pid();
    while (!reaped.isOver && !reaped.stdout.includes("ends")) {
      try {
        Deno.kill(pid, "SIGUSR1");
      } catch (error) {
        assert(error instanceof Deno.errors.NotFound);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    // SIGUSR1 kills the command if it has set no trap yet.
    assert([5, 138].includes(await reaped.ended()));
    assertEquals(reaped.stderr, []);
    assertEquals(PORT_9229.test(reaped.stdout.join("\n")), false);
  });
  await Promise.all(starts);
});

for (const role of [SUBREAPER, INIT]) {
  testAs(role, "signals that are ignored when reaper starts stay ignored by it and by its command", async () => {
    // HUP, USR2 and a real-time signal.
    const ignoring = ["sh", "-c", 'trap "" HUP USR2 37; exec "$@"', "sh"];
    const script = `grep SigIgn /proc/self/status; trap 'echo USR1' USR1; echo ready; while :; do sleep 0.1; done`;
    await using reaped = new Reaped(["--", "sh", "-c", script], { role, wrap: ignoring });
    await reaped.waitFor(/^ready$/);
    assertEquals(BigInt(`0x${reaped.stdout[0]!.split("\t")[1]}`) & ~0x180000000n, 0x1000000801n);
    for (const signal of ["HUP", "USR2", "37"]) await reaped.send(signal);
    await reaped.send("USR1");
    await reaped.waitFor(/^USR1$/);
    await reaped.send("TERM");
    assertEquals(await reaped.ended(), 143);
  });
}

Deno.test({
  name: "reaper reports once that it may not signal a command that became another user, and waits for it",
  ignore: !IS_ROOT || !hasCommand("setpriv"),
  fn: async () => {
    // Without the capability, root may signal only its own processes.
    const weak = ["setpriv", "--bounding-set", "-kill", "--inh-caps", "-kill"];
    const script = `echo "started $$"; exec setpriv --reuid 65534 --clear-groups sh -c 'echo changed; sleep 3'`;
    await using reaped = new Reaped(["--kill-after", "0.5", "--", "sh", "-c", script], { wrap: weak });
    const pid = await reaped.numberIn(/^started (\d+)$/);
    await reaped.waitFor(/^changed$/);
    await reaped.signal("SIGTERM");
    await reaped.waitFor(/cannot send SIGTERM/);
    await reaped.signal("SIGINT");
    assertEquals(await reaped.ended(), 0);
    assertEquals(reaped.stderr, [
      `ncolony-reaper: cannot send SIGTERM to process ${pid}: permission denied (runs as another user)`,
    ]);
  },
});

Deno.test("--exit-code replaces one exit code by another", async () => {
  const codeOf = async (...argv: string[]) => {
    await using reaped = new Reaped(argv);
    return await reaped.ended();
  };
  const options = ["--exit-code", "143=0", "--exit-code=3=7"];
  assertEquals(await codeOf(...options, "sh", "-c", "kill -TERM $$"), 0);
  assertEquals(await codeOf(...options, "sh", "-c", "exit 3"), 7);
  assertEquals(await codeOf(...options, "sh", "-c", "exit 4"), 4);
  assertEquals(await codeOf("--exit-code", "127=0", "/nowhere"), 127, "it was not the command's");
});
