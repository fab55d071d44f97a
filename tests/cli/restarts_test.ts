import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { gone, rested, sh, signalIfThere } from "./tools.ts";

/** Returns the restart delays of a process so far, in seconds. */
function delaysOf(colony: Colony, name: string): number[] {
  const pattern = new RegExp(`INFO ${name}: stopping -> waiting for ([\\d.]+) s `);
  return colony.lines.map((line) => pattern.exec(line)?.[1]).filter((it) => it !== undefined).map(Number);
}

/** Checks delays. A delay is logged when it begins, which is a little after the exit from which it counts. */
function assertDelays(actual: readonly number[], expected: readonly number[]): void {
  assertEquals(actual.length, expected.length);
  for (const [index, delay] of expected.entries()) {
    assertLessOrEqual(actual[index]!, delay, `${actual}`);
    assertGreater(actual[index]!, delay / 2, `${actual}`);
  }
}

Deno.test("a process that exits after the threshold is restarted at once, however it exits", async () => {
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
  assertEquals(colony.matching(/waiting/), []);
  assertEquals(colony.pidsOf("db"), [db]);
});

Deno.test("crashes double the delay up to its maximum, and a run longer than the threshold resets it", async () => {
  // Looking for what is left of a session takes a part of such short delays.
  await using colony = new Colony({ args: ["-t", "1.5", "-m", "0.1", "-M", "0.5", "--kill-scope", "group"] });
  colony.put("steady", { args: ["cat"] });
  colony.put("crasher", { args: sh("exit 3") });
  // Two crashes, a run of 1.6 s, then crashes again.
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

Deno.test("a restart request or a config change ends the delay at once, and a change resets the backoff", async () => {
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

Deno.test("the monitor ends what a dead leader leaves behind before it starts the process again", async () => {
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
  assertEquals(colony.count(/stubborn: stopping -> killing \(kill time expired\)/), 1);
});
