import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Checker, Ground, silent } from "./checkers.ts";
import { hasCommand, run } from "./tools.ts";

/** Returns a heart that is silent. */
function heart(ground: Ground, name = "heart"): { period: number; grace: number; status: string } {
  return { period: 0.01, grace: 0, status: ground.dir.file(name) };
}

Deno.test("beatcheck logs an invalid config once, and checks the others", async () => {
  using ground = new Ground();
  ground.put("broken", "{");
  ground.put("argless", { "ncolony.beatcheck": heart(ground) });
  ground.put("large", " ".repeat(131_057));
  Deno.symlinkSync("/dev/zero", `${ground.config}/zero`);
  Deno.symlinkSync("zero2", `${ground.config}/zero2`);
  Deno.symlinkSync("nothing", `${ground.config}/nothing`);
  Deno.writeFileSync(`${ground.config}/latin`, new Uint8Array([0xe4]));
  Deno.mkdirSync(`${ground.config}/directory`);
  const bad = ["broken", "argless", "large", "zero", "zero2", "nothing", "latin"];
  if (hasCommand("mkfifo")) {
    assertEquals((await run(["mkfifo", `${ground.config}/fifo`, ground.dir.file("heart fifo")])).code, 0);
    // A heart that is a FIFO is not opened either.
    ground.put("piped", silent(heart(ground, "heart fifo")));
    bad.push("fifo");
  }
  ground.put("web", silent(heart(ground)));
  await using checker = new Checker("beatcheck", ground);
  await checker.asked("web");
  for (let look = 0; look < 3; look++) await checker.fence();
  assertEquals(bad.map((name) => checker.count(new RegExp(`WARN ${name}: invalid config: `))), bad.map(() => 1));
  assertEquals(checker.count(/invalid config/), bad.length);
  ground.put("broken", silent(heart(ground)));
  await checker.asked("broken");
});

Deno.test("beatcheck keeps the last valid heart after an invalid edit, and logs that once", async () => {
  using ground = new Ground();
  ground.put("web", silent(heart(ground)));
  await using checker = new Checker("beatcheck", ground);
  await checker.asked("web");
  ground.put("web", "{");
  await checker.waitFor(/WARN web: invalid config: .*; the last valid config stays in effect/);
  ground.take();
  await checker.asked("web", 2);
  await checker.fence();
  assertEquals(checker.count(/invalid config/), 1);
});

Deno.test("beatcheck logs an invalid section once, by its field, and checks the others", async () => {
  using ground = new Ground();
  const { period, grace, status } = heart(ground);
  const sections = {
    whole: [7, "ncolony.beatcheck"],
    hasty: [{ period: 0, grace, status }, "ncolony.beatcheck.period"],
    wordy: [{ period: "10", grace, status }, "ncolony.beatcheck.period"],
    graceless: [{ period, status }, "ncolony.beatcheck.grace"],
    negative: [{ period, grace: -1, status }, "ncolony.beatcheck.grace"],
    silent: [{ period, grace }, "ncolony.beatcheck.status"],
    nul: [{ period, grace, status: "a\0b" }, "ncolony.beatcheck.status"],
  } as const;
  for (const [name, [beat]] of Object.entries(sections)) ground.put(name, { args: ["cat"], "ncolony.beatcheck": beat });
  ground.put("web", silent(heart(ground)));
  await using checker = new Checker("beatcheck", ground);
  await checker.asked("web");
  for (let look = 0; look < 3; look++) await checker.fence();
  for (const [name, [, field]] of Object.entries(sections)) {
    const told = checker.lines.filter((line) => line.includes(` ${name}: `));
    assertEquals(told.length, 1, name);
    assertMatch(told[0]!, /WARN \w+: heartbeat is not checked: /);
    assertStringIncludes(told[0]!, `"${field}"`);
  }
  assertEquals(ground.requests(), ["web"]);
});

Deno.test("beatcheck logs once that the config directory is missing, and checks again once it is back", async () => {
  using ground = new Ground();
  for (const name of ["web", "late"]) ground.put(name, silent({ ...heart(ground), grace: name === "web" ? 0 : 1e9 }));
  await using checker = new Checker("beatcheck", ground, { args: ["--frequency=0.05"] });
  await checker.asked("web");
  for (let round = 1; round <= 2; round++) {
    Deno.renameSync(ground.config, ground.dir.file("aside"));
    await checker.waitFor(
      /ERROR cannot read the config directory .*: no such file or directory; running processes keep running$/,
      round,
    );
    Deno.renameSync(ground.dir.file("aside"), ground.config);
    await checker.waitFor(/INFO the config directory .* can be read again$/, round);
    ground.take();
    await checker.asked("web", 1 + round);
  }
  ground.put("late", silent(heart(ground)));
  await checker.asked("late");
  await checker.fence();
  assertEquals(checker.count(/ERROR/), 2);
});

Deno.test("beatcheck logs once that the messages directory is missing, and asks for the restarts once it is back", async () => {
  using ground = new Ground();
  await using checker = new Checker("beatcheck", ground);
  await checker.ready();
  for (let round = 1; round <= 2; round++) {
    Deno.removeSync(ground.messages);
    for (const name of ["web", "db"]) ground.put(name, { ...silent(heart(ground)), round });
    await checker.waitFor(
      /ERROR cannot request restarts, because writing to .*messages failed: no such file or directory$/,
      round,
    );
    // Each invalid config is logged by a later scan, so beatcheck has tried again by then.
    for (const version of [1, 2, 3]) {
      ground.put("broken", `{ "round${round}": ${" ".repeat(version)}`);
      await checker.waitFor(/WARN broken: invalid config/, 3 * (round - 1) + version);
    }
    assertEquals(checker.count(/ERROR/), round);
    Deno.mkdirSync(ground.messages);
    for (const name of ["web", "db"]) await checker.asked(name, round);
    await checker.fence();
    assertEquals(ground.requests().sort(), ["db", "web"]);
    ground.take();
    for (const name of ["web", "db"]) ground.remove(name);
    await checker.fence();
    ground.take();
  }
});
