import { assertEquals } from "@std/assert";
import { until } from "../helpers.ts";
import { below, INIT, procOf, Reaped, type Role, SUBREAPER, testAs } from "./reaping.ts";

/** Returns a script that makes orphans with different exit codes. Some exit before their parent, some after it. */
function orphans(count: number): string {
  return `i=0; while [ $i -lt ${count} ]; do ((exit $((i % 256))) & exit $((i % 7))) & i=$((i + 1)); wait; done`;
}

/** Returns the states of all children of a process: `S` is a sleeping process, `Z` a zombie. */
async function childrenOf(pid: number): Promise<string[]> {
  const children = (await procOf(pid, `task/${pid}/children`)).split(" ").filter((it) => it !== "");
  const stats = await Promise.all(children.map((child) => procOf(Number(child), "stat")));
  return stats.map((stat) => /\) (\w) /.exec(stat)?.[1] ?? "gone");
}

/** Waits until a reaper has only one child, which is not a zombie. */
async function untilOneIsLeft(pid: number): Promise<void> {
  await until("only the command is left", async () => {
    const states = await childrenOf(pid);
    return states.length === 1 && states[0] === "S";
  });
}

for (const role of [SUBREAPER, INIT]) {
  testAs(role, "500 orphans leave no zombie while the command runs, and do not affect its exit code", async () => {
    await using reaped = new Reaped(["sh", "-c", `${orphans(500)}; echo done; read it; exit 42`], { role });
    await reaped.waitFor(/^done$/);
    await untilOneIsLeft(await reaped.pid());
    await reaped.say("end");
    assertEquals(await reaped.ended(), 42);
    assertEquals(reaped.stderr, []);
  });

  testAs(role, "an orphan that lives on becomes reaper's child, and is reaped when it exits", async () => {
    await using reaped = new Reaped(["sh", "-c", "(sleep 1000 &); echo ready; read it; exit 3"], { role });
    await reaped.waitFor(/^ready$/);
    const pid = await reaped.pid();
    const isSleeper = async (it: number) => (await procOf(it, "comm")).trim() === "sleep";
    const children = (await procOf(pid, `task/${pid}/children`)).trim().split(" ").map(Number);
    assertEquals(children.length, 2);
    for (const child of children) if (await isSleeper(child)) Deno.kill(child, "SIGKILL");
    await untilOneIsLeft(pid);
    await reaped.say("end");
    assertEquals(await reaped.ended(), 3);
  });

  testAs(role, "the exit code is right in 20 races of 40 orphans with the command's exit", async () => {
    const codes: number[] = [];
    for (let round = 0; round < 20; round += 4) {
      codes.push(...await Promise.all([0, 1, 2, 3].map((offset) => race(role, round + offset))));
    }
    assertEquals(codes, codes.map((_, round) => round * 11));
  });
}

/** Runs a race: half of the orphans come while the command exits, some of them after that. Returns the exit code. */
async function race(role: Role, round: number): Promise<number> {
  const script = `(${orphans(20)}) & ${orphans(20).replace("; wait", "")}; exit ${round * 11}`;
  await using reaped = new Reaped(["sh", "-c", script], { role });
  const code = await reaped.ended();
  assertEquals([reaped.stdout, reaped.stderr], [[], []]);
  return code;
}

testAs(INIT, "no process of the namespace is a zombie, whatever its parent was", async () => {
  const script = `sh -c '${orphans(100)}; echo done; read it' ; exit 8`;
  await using reaped = new Reaped(["sh", "-c", script], { role: INIT });
  await reaped.waitFor(/^done$/);
  const pid = await reaped.pid();
  await untilOneIsLeft(pid);
  for (const one of await below(pid)) assertEquals(/^State:\s+Z/m.test(await procOf(one, "status")), false);
  await reaped.say("end");
  assertEquals(await reaped.ended(), 8);
});
