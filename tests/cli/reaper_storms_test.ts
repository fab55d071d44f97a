import { assertEquals } from "@std/assert";
import { tempDir } from "../helpers.ts";
import {
  INIT,
  Reaped,
  REAPER_PERMISSIONS,
  type Role,
  SUBREAPER,
  testAs,
  untilExecuted,
  untilStopped,
} from "./reaping.ts";
import { ROOT, run, sh } from "./tools.ts";

/** The signals that reaper passes on, and the command ignores. */
const PASSED = [
  ..."HUP INT QUIT USR1 USR2 WINCH ALRM VTALRM PROF CONT TSTP TTIN TTOU URG XCPU XFSZ TERM".split(" "),
  ...Array.from({ length: 64 }, (_, at) => `${at + 1}`).filter((it) =>
    ["16", "29", "30"].includes(it) || Number(it) > 33
  ),
];

/** Returns all signals for PID 1, and otherwise only those that reaper passes on or that do not end it. */
function signalsFor(role: Role): string[] {
  if (role === INIT) return Array.from({ length: 64 }, (_, at) => `${at + 1}`);
  return [...PASSED, "CHLD", "PIPE", "33"];
}

/** Returns the words in a different order for each seed. */
function shuffled(words: readonly string[], seed: number): string[] {
  const left = [...words];
  let chance = seed + 1;
  return words.map(() => {
    // The "minimal standard" generator.
    chance = chance * 48271 % 2147483647;
    return left.splice(chance % left.length, 1)[0]!;
  });
}

/** Returns a command that at each line on stdin sends signals to reaper and prints a line. It exits with 7 at `end`. */
function storming(storm: string): string[] {
  const loop = `while read it; do [ "$it" = end ] && exit 7; ${storm}; echo stormed; done`;
  return sh(`trap "" ${PASSED.join(" ")}; echo ready; ${loop}`);
}

/** Returns a line of shell that sends each signal in a burst. */
function sending(signals: readonly string[], burst: number): string {
  const kills = "kill -$it $PPID 2>&-; ".repeat(burst);
  return `for it in ${signals.join(" ")}; do ${kills} done`;
}

for (const role of [INIT, SUBREAPER]) {
  testAs(role, "reaper survives every signal from below, alone, in a burst, and in any order", async () => {
    const storms = Array.from({ length: 8 }, (_, seed) => sending(shuffled(signalsFor(role), seed), 1 + seed % 2 * 9));
    await using reaped = new Reaped(["--kill-after", "1000", ...storming(storms.join("; "))], { role });
    await reaped.waitFor(/^ready$/);
    for (let round = 1; round <= 5; round++) {
      await reaped.say("storm");
      await reaped.waitFor(/^stormed$/, round);
    }
    await reaped.say("end");
    assertEquals([await reaped.ended(), reaped.stderr], [7, []]);
  });

  testAs(role, "reaper survives signals that are all pending at the same moment", async () => {
    const storm = `${sending(signalsFor(role).filter((it) => !["18", "CONT"].includes(it)), 2)}; kill -CONT $PPID`;
    await using reaped = new Reaped(["--kill-after", "1000", ...storming(storm)], { role });
    await reaped.waitFor(/^ready$/);
    for (let round = 1; round <= 5; round++) {
      // From outside, this stops PID 1 as well.
      await reaped.signal("SIGSTOP");
      await untilStopped(reaped, await reaped.pid());
      await reaped.say("storm");
      await reaped.waitFor(/^stormed$/, round);
    }
    await reaped.say("end");
    assertEquals([await reaped.ended(), reaped.stderr], [7, []]);
  });
}

testAs(
  INIT,
  "PID 1 survives signals from outside that come together while it starts, after it has executed itself",
  async () => {
    const storm = "kill -STOP $0; for it in 33 SEGV BUS CHLD; do kill -$it $0; done; kill -CONT $0";
    await Promise.all(Array.from({ length: 6 }, async () => {
      await using reaped = new Reaped(["sh", "-c", "echo ready; read it; exit 7"], { role: INIT });
      const pid = await reaped.pid();
      await untilExecuted(reaped);
      while (!reaped.isOver && reaped.stdout.length === 0) await run(["sh", "-c", storm, `${pid}`]);
      await reaped.say("end");
      assertEquals([await reaped.ended(), reaped.stderr], [7, []]);
    }));
  },
);

/** Begins as reaper does, and then reads from an invalid address. */
const FAULTY = `
import { Libc } from ${JSON.stringify(`file://${ROOT}reaper/libc.ts`)};
import { blockSignals } from ${JSON.stringify(`file://${ROOT}reaper/signals.ts`)};
if (!blockSignals(new Libc())) throw new Error("not blocked");
new Deno.UnsafePointerView(Deno.UnsafePointer.create(8n)).getUint8();
`;

testAs(INIT, "a fault of PID 1 itself still ends it", async () => {
  using dir = tempDir();
  const args = ["run", "--frozen", "--no-prompt", "--config", `${ROOT}deno.json`, ...REAPER_PERMISSIONS];
  const words = [...INIT.wrap!, Deno.execPath(), ...args, dir.write("faulty.ts", FAULTY)];
  const { code, stderr } = await run(["sh", "-c", 'ulimit -c 0; exec "$@"', "sh", ...words]);
  assertEquals([code, stderr], [128 + 11, ""]);
});
