import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { Colony } from "./harness.ts";
import { gone, hasCommand, IS_ROOT, namesIn, place, run, sh } from "./tools.ts";

const CAT = { args: ["cat"] };

/** Waits until the monitor has scanned everything several times. */
async function severalLooks(colony: Colony): Promise<void> {
  for (let look = 0; look < 3; look++) await colony.fence();
}

/** Checks that the monitor acts once on each message that it cannot remove, and removes it once it can. */
async function assertEachOnce(colony: Colony, fault: string, relent: () => Promise<void>): Promise<void> {
  const stuck = / ERROR cannot remove messages: (.*); each is acted on only once$/;
  const counts = () => [
    ...["web", "db"].map((name) => colony.pidsOf(name).length),
    ...[/RESTART "web"$/, /RESTART "db"$/, /RESTART "nobody"/, /is invalid/, stuck].map((line) => colony.count(line)),
  ];
  await colony.started("web");
  await colony.started("db");
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
  assertEquals((await colony.waitFor(stuck))[1], fault);
  await severalLooks(colony);
  colony.send({ type: "RESTART", name: "db" });
  colony.send({ type: "RESTART", name: "nobody" });
  colony.send("{");
  await colony.started("db", 2);
  await colony.waitFor(/is invalid/);
  await severalLooks(colony);
  assertEquals(counts(), [2, 2, 1, 1, 1, 1, 1]);
  assertEquals(namesIn(colony.messages).length, 4);
  await relent();
  await colony.until("they are taken away", () => namesIn(colony.messages).join() === ".rejected");
  await severalLooks(colony);
  assertEquals(counts(), [2, 2, 1, 1, 1, 1, 1]);
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 3);
}

const isMountable = IS_ROOT && hasCommand("nsenter") && hasCommand("unshare") &&
  (await run(["unshare", "--mount", "true"])).code === 0;

Deno.test({
  name: "the monitor acts once on messages on a read-only mount, and removes them later (skipped without mounts)",
  ignore: !isMountable,
  fn: async () => {
    const mount = `for word; do test "$last" = --messages && dir=$word; last=$word; done
      mount --bind "$dir" "$dir" && mount -o remount,ro,bind "$dir" && exec "$@"`;
    const wrap = ["unshare", "--mount", ...sh(mount), "sh"];
    await using colony = new Colony({ args: ["--frequency", "0.1"], wrap, config: { web: CAT, db: CAT } });
    await assertEachOnce(colony, "read-only file system", async () => {
      const remount = ["mount", "-o", "remount,rw,bind", colony.messages];
      assertEquals((await run(["nsenter", "--mount", "-t", `${colony.process.pid}`, ...remount])).code, 0);
    });
  },
});

Deno.test({
  name: "the monitor acts once on messages that it may not remove yet (skipped unless root with setpriv)",
  ignore: !IS_ROOT || !hasCommand("setpriv"),
  fn: async () => {
    const wrap = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    await using colony = new Colony({ args: ["--frequency", "0.1"], wrap, config: { web: CAT, db: CAT } });
    Deno.chmodSync(colony.messages, 0o555);
    await assertEachOnce(colony, "permission denied", () => Deno.chmod(colony.messages, 0o755));
  },
});

Deno.test({
  name: "the monitor logs a message that stays once, whatever else comes and goes (skipped unless root with setpriv)",
  ignore: !IS_ROOT || !hasCommand("setpriv"),
  fn: async () => {
    // In another user's sticky directory, a user may remove only its own messages.
    const wrap = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"];
    await using colony = new Colony({ args: ["--frequency", "0.1"], wrap, config: { web: CAT } });
    await colony.started("web");
    Deno.chmodSync(colony.messages, 0o1777);
    Deno.chownSync(colony.messages, 65_534, 65_534);
    const file = colony.dir.write("stays", '{"type": "RESTART", "name": "web"}');
    Deno.chownSync(file, 65_534, 65_534);
    Deno.renameSync(file, join(colony.messages, "stays"));
    for (let nth = 2; nth <= 5; nth++) {
      await colony.started("web", nth);
      await colony.fence();
      colony.send({ type: "RESTART", name: "web" });
    }
    await colony.started("web", 6);
    await severalLooks(colony);
    assertEquals(namesIn(colony.messages), ["stays"]);
    assertEquals([colony.count(/cannot remove messages: /), colony.count(/message "stays"/)], [1, 1]);
  },
});

/** Makes a message whose name is not UTF-8. */
async function makeUndecodable(directory: string): Promise<void> {
  assertEquals((await run([...sh('printf { > "$0/$(printf "x\\377")"'), directory])).code, 0);
}

Deno.test("the monitor logs a message whose name is not UTF-8 once, and takes the others", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.1"], config: { web: CAT } });
  await colony.started("web");
  await makeUndecodable(colony.messages);
  await colony.waitFor(/WARN message "x\ufffd+" .*the file name is not valid UTF-8$/);
  await severalLooks(colony);
  assertEquals(colony.count(/the file name is not valid UTF-8/), 1);
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
});

for (const directory of ["config", "messages"] as const) {
  Deno.test(`a name that is not UTF-8 in the ${directory} directory does not end the watch`, async () => {
    await using colony = new Colony({ config: { web: CAT } });
    await colony.fence();
    await makeUndecodable(colony[directory]);
    colony.send({ type: "RESTART", name: "web" });
    await colony.started("web", 2);
    await colony.fence();
    assertEquals(colony.matching(/cannot watch/), []);
  });
}

Deno.test("a name that is not UTF-8 and then a named pipe do not hang the monitor", async () => {
  await using colony = new Colony({ args: ["--frequency", "1"], config: { web: CAT } });
  const web = await colony.started("web");
  // Both between two full scans.
  const make = 'printf { > "$0/$(printf "x\\377")"; mkfifo "$0/pipe"';
  assertEquals((await run([...sh(make), colony.messages])).code, 0);
  place(colony.messages, "restart", '{"type": "RESTART", "name": "web"}');
  await colony.started("web", 2);
  await colony.until("the pipe is put away", () => !namesIn(colony.messages).includes("pipe"));
  assertEquals(namesIn(join(colony.messages, ".rejected")).includes("pipe"), true);
  assertEquals(await colony.stop(), 0);
  await gone(web, ...colony.pidsOf("web"));
});
