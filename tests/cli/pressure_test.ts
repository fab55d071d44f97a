import { assert, assertEquals, assertLess } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { namesIn, peakMemoryOf, sh } from "./tools.ts";

const CAT = { args: ["cat"] };

Deno.test("a child that writes 200 MB to a stdout that is not read takes little memory and stops nothing else", async () => {
  await using colony = new Colony({ readStdout: false, config: { web: CAT } });
  const web = await colony.started("web");
  // Empty lines are the worst case, because each gets a prefix.
  colony.put("flood", { args: sh("echo begun >&2; yes '' | head -c 200000000; echo done >&2; exec cat") });
  colony.put("other", { args: sh("exec yes 0123456789012345678901234567890123456789") });
  await colony.waitFor(/^\[flood\] begun$/);
  await colony.started("other");
  for (let nth = 2; nth <= 4; nth++) {
    assertEquals((await colony.ctl("restart", "web")).code, 0);
    await colony.started("web", nth);
  }
  assertLess(await peakMemoryOf(colony.process.pid), 150);
  assertEquals(isAlive(web), false);
  assertEquals(colony.matching(/^\[flood\] done$/), []);
  assertEquals(await colony.stop(), 0);
});

Deno.test("a child writes 200 MB to a stdout that is read, to the end and in little memory", async () => {
  await using colony = new Colony({ wrap: sh('exec "$@" > /dev/null').concat("sh") });
  const line = "0123456789".repeat(10);
  colony.put("flood", { args: sh(`yes ${line} | head -c 200000000; echo done >&2; exec cat`) });
  await colony.waitFor(/^\[flood\] done$/);
  assertLess(await peakMemoryOf(colony.process.pid), 150);
});

Deno.test("the monitor supervises processes after the readers of its streams are gone", async () => {
  await using colony = new Colony({
    config: { web: CAT, chatty: { args: sh("trap exit TERM; while :; do echo x; sleep 0.02; done") } },
  });
  await colony.waitFor(/^\[chatty\] x$/);
  await colony.stdout?.close();
  await colony.waitFor(/ERROR cannot write to stdout: .*; its output is lost/);
  await colony.started("web");
  await colony.stderr.close();
  let pid = await colony.pidFile("web");
  for (let round = 0; round < 3; round++) {
    assertEquals((await colony.ctl("restart", "web")).code, 0);
    pid = await colony.pidFile("web", pid);
    assert(isAlive(pid));
  }
  const left = namesIn(colony.pids).map((name) => Number(Deno.readTextFileSync(`${colony.pids}/${name}`)));
  assertEquals(await colony.stop(), 0);
  assertEquals(left.map(isAlive), [false, false]);
});
