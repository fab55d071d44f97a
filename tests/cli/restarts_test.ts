import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { gone, rested, sh, signalIfThere } from "./tools.ts";

/** The delays, in seconds, that a process was told to wait until now. */
function delaysOf(colony: Colony, name: string): number[] {
  const pattern = new RegExp(`INFO ${name}: stopping -> waiting for ([\\d.]+) s `);
  return colony.lines.map((line) => pattern.exec(line)?.[1]).filter((it) => it !== undefined).map(Number);
}

/** A wait is told when it begins, which is a little after the death from which it counts. */
function assertDelays(actual: readonly number[], expected: readonly number[]): void {
  assertEquals(actual.length, expected.length);
  for (const [index, delay] of expected.entries()) {
    assertLessOrEqual(actual[index]!, delay, `${actual}`);
    assertGreater(actual[index]!, delay / 2, `${actual}`);
  }
}

Deno.test("a process that lived past the threshold is restarted at once when it dies, however it dies", async () => {
  await using colony = new Colony({ args: ["-t", "0"], config: { web: { args: ["cat"] }, db: { args: ["cat"] } } });
  const [web, db] = [await colony.started("web"), await colony.started("db")];
  await rested();
  signalIfThere(web, "SIGKILL");
  const second = await colony.started("web", 2);
  await rested();
  signalIfThere(second, "SIGSEGV");
  const third = await colony.started("web", 3);
  await gone(web, second);
  assertEquals([third, db].map(isAlive), [true, true]);
  await colony.waitFor(/web: running -> stopping \(SIGKILL after [\d.]+ s\)/);
  await colony.waitFor(/web: running -> stopping \(SIGSEGV after [\d.]+ s\)/);
  assertEquals(colony.count(/waiting/), 0);
  assertEquals(colony.pidsOf("db"), [db]);
});

Deno.test("instant deaths back off, doubling up to the greatest delay; a life past the threshold resets that", async () => {
  await using colony = new Colony({ args: ["-t", "1.5", "-m", "0.1", "-M", "0.5"] });
  colony.put("steady", { args: ["cat"] });
  colony.put("crasher", { args: sh("exit 3") });
  // Two instant deaths, a life of 1.6 s, then instant deaths again.
  const script = `cd '${colony.dir.path}'; echo run >> runs; [ $(wc -l < runs) -ne 3 ] || sleep 1.6`;
  colony.put("survivor", { args: sh(script) });
  await colony.started("crasher", 6);
  assertDelays(delaysOf(colony, "crasher").slice(0, 5), [0.1, 0.2, 0.4, 0.5, 0.5]);
  assert(colony.count(/crasher: running -> stopping \(exit code 3 after [\d.]+ s\)/) >= 5);
  await colony.started("survivor", 5);
  assertDelays(delaysOf(colony, "survivor").slice(0, 3), [0.1, 0.2, 0.1]);
  await colony.waitFor(/survivor: running -> stopping \(exit code 0 after 1\.\d+ s\)/);
  assertEquals(colony.pidsOf("steady").length, 1);
});

Deno.test("a restart or a change is not waited for, and a change resets the back-off", async () => {
  await using colony = new Colony({ args: ["-t", "1000", "-m", "100"], config: { web: { args: ["true"] } } });
  await colony.waitFor(/web: stopping -> waiting/);
  await rested();
  colony.send({ type: "RESTART", name: "web" });
  await colony.waitFor(/web: waiting -> running \(restart\)/);
  await colony.waitFor(/web: stopping -> waiting/, 2);
  await rested();
  colony.put("web", { args: ["true"], version: 2 });
  await colony.waitFor(/web: waiting -> running \(config changed\)/);
  await colony.waitFor(/web: stopping -> waiting/, 3);
  assertDelays(delaysOf(colony, "web"), [100, 200, 100]);
});

Deno.test("what a dead leader leaves behind is ended before the process is started again", async () => {
  await using colony = new Colony({ args: ["-t", "0", "-k", "0.2"] });
  const names = ["obedient", "stubborn"];
  for (const name of names) {
    const trap = name === "stubborn" ? "trap '' TERM;" : "";
    const script = `cd '${colony.dir.path}'; [ -e ${name} ] && exec cat; touch ${name};`;
    colony.put(name, { args: sh(`${script} ${trap} sleep 1000 & echo "left $!"; exec cat`) });
  }
  const left: number[] = [];
  for (const name of names) left.push(Number((await colony.waitFor(new RegExp(`^\\[${name}\\] left (\\d+)`)))[1]));
  assertEquals(left.map(isAlive), [true, true]);
  const leaders = [await colony.started("obedient"), await colony.started("stubborn")];
  for (const leader of leaders) signalIfThere(leader, "SIGKILL");
  for (const name of names) await colony.started(name, 2);
  await gone(...leaders, ...left);
  assertEquals(colony.count(/stubborn: stopping -> killing \(kill time over\)/), 1);
});
