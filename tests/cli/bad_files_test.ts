import { assertEquals, assertLess } from "@std/assert";
import { join } from "@std/path";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { hasCommand, IS_ROOT, peakMemoryOf, run, sh } from "./tools.ts";

const CAT = { args: ["cat"] };
const HAS_PERL = hasCommand("perl");
/** Must not appear in any log line. */
const SECRET = "hunter2";

function good(extra: Record<string, unknown>): string {
  return JSON.stringify({ args: ["cat", SECRET], env: { TOKEN: SECRET }, ...extra });
}

function monitored(extra: Record<string, unknown>): string {
  return good({ "ncolony.monitor": extra });
}

/** Contents of invalid config files, and the problem reported for each. */
const CONTENTS: readonly (readonly [content: string | Uint8Array<ArrayBuffer>, complaint: string])[] = [
  [
    monitored({ kill_time: 1e10 }),
    '"ncolony.monitor.kill_time" must be a number from 0 to 1000000000: got 10000000000',
  ],
  [
    `${good({}).slice(0, -1)}, ${SECRET}}`,
    `invalid JSON at line 1, column ${good({}).length + 2}: a key needs " around it`,
  ],
  ["", "invalid JSON at line 1, column 1: the file is empty"],
  [" \n", "invalid JSON at line 2, column 1: the file is empty"],
  [JSON.stringify([SECRET]), "must be a JSON object: got an array"],
  ["null", "must be a JSON object: got null"],
  ["[".repeat(100_000), "invalid JSON at line 1, column 100001: a ] is missing at the end"],
  ["[".repeat(60_000) + "]".repeat(60_000), "must be a JSON object: got an array"],
  [good({ args: SECRET }), '"args" must be a non-empty array of strings that begins with a command: got a string'],
  [
    good({ args: [1] }),
    '"args" must be a non-empty array of strings that begins with a command: got an array with a number',
  ],
  [
    good({ args: [`${SECRET}\0`] }),
    '"args" must be a non-empty array of strings that begins with a command: got an array with a string with a NUL',
  ],
  [
    JSON.stringify({ env: { TOKEN: SECRET } }),
    '"args" must be a non-empty array of strings that begins with a command: got nothing',
  ],
  [good({ env: [SECRET] }), '"env" must be an object: got an array'],
  [good({ env: { A: [SECRET] } }), '"env.A" must be a string: got an array'],
  [good({ env: { [`${SECRET}=`]: "" } }), '"env" has a key that is not a valid variable name'],
  [
    good({ env_inherit: SECRET }),
    '"env_inherit" must be an array of names of variables, not empty and without "=": got a string',
  ],
  [good({ uid: SECRET }), '"uid" must be a number from 0 to 4294967294: got a string'],
  [good({ uid: -1 }), '"uid" must be a number from 0 to 4294967294: got -1'],
  [good({ uid: 0.5 }), '"uid" must be an integer: got 0.5'],
  [good({ gid: 4294967295 }), '"gid" must be a number from 0 to 4294967294: got 4294967295'],
  [good({}).replace('"env"', '"uid": 1e400, "env"'), '"uid" must be a number from 0 to 4294967294: got Infinity'],
  [good({ group: [SECRET, 1] }), '"group" must be an array of strings: got an array with a number'],
  [good({ "ncolony.monitor": SECRET }), '"ncolony.monitor" must be an object: got a string'],
  [monitored({ cwd: "here" }), '"ncolony.monitor.cwd" must be an absolute path: got another string'],
  [monitored({ stop_signal: "TERM" }), '"ncolony.monitor.stop_signal" must be one of SIG'],
  [monitored({ stop_signal: 15 }), '"ncolony.monitor.stop_signal" must be one of SIG'],
  [monitored({ kill_time: "5" }), '"ncolony.monitor.kill_time" must be a number from 0 to 1000000000: got a string'],
  [monitored({ kill_time: -1 }), '"ncolony.monitor.kill_time" must be a number from 0 to 1000000000: got -1'],
  [
    monitored({ kill_scope: "leader" }),
    '"ncolony.monitor.kill_scope" must be one of process, group, session, cgroup, all: got another string',
  ],
  [
    monitored({ kill_scope: "cgroup" }),
    '"ncolony.monitor.kill_scope" "cgroup" is not available: cgroups need --allow-all',
  ],
  [monitored({ daemonizes: true }), '"ncolony.monitor.daemonizes" needs cgroups: cgroups need --allow-all'],
  [
    monitored({ limits: { memory: "512M" } }),
    '"ncolony.monitor.limits.memory" cannot be limited: cgroups need --allow-all',
  ],
  [monitored({ enabled: "no" }), '"ncolony.monitor.enabled" must be true or false: got a string'],
  [monitored({ killtime: 1 }), 'unknown key "ncolony.monitor.killtime": did you mean "kill_time"?'],
  [
    `${good({})}\0`,
    `invalid JSON at line 1, column ${good({}).length + 1}: a NUL character (is the file UTF-16? it must be UTF-8)`,
  ],
  [`{"__proto__": ${good({})}}`, '"args" must be a non-empty array of strings that begins with a command: got nothing'],
  [
    '{"args": ["cat"], "args": 1}',
    '"args" must be a non-empty array of strings that begins with a command: got a number',
  ],
  [`\ufeff${good({})}`, "begins with a byte order mark, which is not JSON"],
  [new Uint8Array([...new TextEncoder().encode(good({})), 0xff]), "not valid UTF-8"],
  [good({ extra: SECRET.repeat(20_000) }), "must be at most 131056 bytes"],
];

Deno.test("the monitor logs each kind of invalid config once by its field, shows no secret, and stops no process", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.1"], config: { web: CAT } });
  const web = await colony.started("web");
  for (const [index, [content]] of CONTENTS.entries()) {
    const path = join(colony.config, `bad-${index}`);
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else Deno.writeFileSync(path, content);
  }
  for (const [index, [, complaint]] of CONTENTS.entries()) {
    const said = ` WARN bad-${index}: invalid config: ${complaint}`;
    await colony.until(said, () => colony.stderr.lines.some((line) => line.slice(24).startsWith(said)));
  }
  await colony.fence();
  assertEquals(colony.count(/invalid config/), CONTENTS.length);
  assertEquals(colony.count(new RegExp(SECRET)), 0);
  assertEquals([colony.pidsOf("web"), isAlive(web)], [[web], true]);
});

Deno.test("the monitor reports files that are too large or not regular, and does not open them", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.1"], config: { web: CAT } });
  const web = await colony.started("web");
  const path = (name: string) => join(colony.config, name);
  const listen = "use IO::Socket::UNIX; IO::Socket::UNIX->new(Local => shift, Listen => 1) or die";
  if (HAS_PERL) assertEquals((await run(["perl", "-e", listen, path("socket")])).code, 0);
  assertEquals((await run(["mkfifo", path("pipe")])).code, 0);
  Deno.symlinkSync("/dev/zero", path("zero"));
  Deno.symlinkSync(colony.dir.file("nothing"), path("dangling"));
  Deno.symlinkSync(path("loop"), path("loop"));
  Deno.mkdirSync(path("directory"));
  Deno.symlinkSync(path("directory"), path("link-to-directory"));
  const huge = colony.dir.write("huge", "{");
  Deno.truncateSync(huge, 64 * 2 ** 20);
  Deno.renameSync(huge, path("huge"));
  const complaints = {
    ...(HAS_PERL ? { socket: "not a regular file" } : {}),
    pipe: "not a regular file",
    zero: "not a regular file",
    dangling: "dangling symbolic link",
    loop: ".*symbolic link",
    huge: "must be at most 131056 bytes",
  };
  for (const [name, reason] of Object.entries(complaints)) {
    await colony.waitFor(new RegExp(`WARN ${name}: invalid config: ${reason}`));
  }
  await colony.fence();
  await colony.fence();
  assertEquals(colony.count(/invalid config/), Object.keys(complaints).length);
  assertEquals(colony.matching(/ (link-to-)?directory: /), []);
  assertEquals([colony.pidsOf("web"), isAlive(web)], [[web], true]);
});

Deno.test({
  name: "the monitor reports a config that it may not read, and leaves its process running",
  ignore: IS_ROOT && !hasCommand("setpriv"),
  fn: async () => {
    // Root may read any file unless it has lost that capability.
    const rights = "-dac_override,-dac_read_search";
    const wrap = IS_ROOT ? ["setpriv", `--bounding-set=${rights}`, `--inh-caps=${rights}`] : [];
    await using colony = new Colony({ args: ["--frequency", "0.1"], wrap, config: { web: CAT } });
    const web = await colony.started("web");
    Deno.chmodSync(join(colony.config, "web"), 0);
    await colony.waitFor(/WARN web: invalid config: .*[Pp]ermission denied.*; the last valid config stays in effect/);
    Deno.writeTextFileSync(join(colony.config, "db"), "{", { mode: 0 });
    await colony.waitFor(/WARN db: invalid config: .*[Pp]ermission denied/);
    Deno.chmodSync(join(colony.config, "web"), 0o600);
    await colony.fence();
    assertEquals(colony.count(/invalid config/), 2);
    assertEquals([colony.pidsOf("web"), isAlive(web)], [[web], true]);
  },
});

Deno.test("the monitor reads thousands of large invalid configs in little memory, and takes a valid one among them", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  const FILES = 3000;
  await colony.started("web");
  // The monitor is stopped meanwhile, so that it finds all of them at once.
  colony.process.kill("SIGSTOP");
  for (let i = 0; i < FILES; i++) {
    Deno.writeTextFileSync(join(colony.config, `bad-${i}`), `{"args": ["${"x".repeat((i * 131) % 131_000)}"], ${i}}`);
  }
  colony.process.kill("SIGCONT");
  const said = /bad-\d+: invalid config: invalid JSON/;
  await colony.waitFor(said);
  colony.put("good", { args: sh("echo good >&2; exec cat") });
  await colony.waitFor(/^\[good\] good$/);
  await colony.waitFor(said, FILES);
  assertEquals(colony.count(said), FILES);
  assertLess(await peakMemoryOf(colony.process.pid), 150);
});

Deno.test("the monitor runs no file that editors or packagers leave, and logs it once, and ctl refuses such a name", async () => {
  await using colony = new Colony({ config: { web: { args: ["cat"] }, "web~": { args: ["sleep", "1000"] } } });
  await colony.started("web");
  await colony.waitFor(/ WARN web~: invalid config: a name must not look like a backup or temporary file /);
  colony.put("web.dpkg-old", { args: ["sleep", "1000"] });
  await colony.waitFor(/ WARN web\.dpkg-old: invalid config: a name must not look like /);
  colony.put("web", { args: ["cat"], comment: "a look at all" });
  await colony.fence();
  assertEquals([colony.pidsOf("web~").length, colony.pidsOf("web.dpkg-old").length], [0, 0]);
  assertEquals(colony.count(/ web~: /), 1);
  const added = await colony.ctl("add", "web.bak", "--cmd", "cat");
  assertEquals([added.code, added.stderr.includes("backup or temporary file")], [2, true]);
  assertEquals((await colony.ctl("remove", "web~")).code, 0);
});
