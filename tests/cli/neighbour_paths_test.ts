/** Attacks by a neighbour who owns a directory that the monitor's paths lead through. */

import { assertEquals, assertMatch } from "@std/assert";
import { isAlive, until } from "../helpers.ts";
import { contents, filesIn, marking, neighbourTest, Place } from "./neighbour.ts";
import { MONITOR_PERMISSIONS, run, sleeper } from "./tools.ts";

/** Returns the options for directories that are all in order, except those in `own`. */
function places(place: Place, own: Readonly<Record<string, string>> = {}): string[] {
  const paths = { config: place.make("config"), messages: place.make("messages"), ...own };
  return Object.entries(paths).flatMap(([name, path]) => [`--${name}`, path]);
}

for (const permissions of [["-A"], MONITOR_PERMISSIONS]) {
  const how = `${permissions.length} flags`;

  for (const option of ["config", "messages", "pid", "logs"]) {
    neighbourTest(
      `the monitor refuses --${option} in a neighbour's directory, and creates nothing there (${how})`,
      async () => {
        await using place = new Place();
        const isMade = option === "pid" || option === "logs";
        const path = isMade ? place.file("home", option) : place.make(`home/${option}`);
        const monitor = place.monitor(places(place, { [option]: path }), permissions);
        assertEquals(await monitor.ended(), 1);
        assertMatch(
          monitor.stderr.join("\n"),
          /^ncolony-monitor: Cannot use directory ".*": its parent directory ".*\/home" is owned by uid 65534, .*; fix it with chmod or chown, or use .*--allow-insecure/,
        );
        if (isMade) assertEquals(contents(place.home), {});
      },
    );

    neighbourTest(`the monitor refuses --${option} through a symlink in a neighbour's directory (${how})`, async () => {
      await using place = new Place();
      Deno.symlinkSync(place.make(`real-${option}`), place.file("home", "link"));
      const monitor = place.monitor(places(place, { [option]: place.file("home", "link") }), permissions);
      assertEquals(await monitor.ended(), 1);
      assertMatch(monitor.stderr.join("\n"), /its parent directory ".*\/home" is owned by uid 65534/);
    });
  }

  for (const option of ["pid", "logs"]) {
    neighbourTest(
      `the monitor refuses --${option} DIR if the neighbour owns DIR or may write to it (${how})`,
      async () => {
        await using place = new Place();
        const mine = place.make("mine");
        place.give("mine");
        for (
          const [path, why] of [[mine, /owned by uid 65534/], [
            place.make("shared", 0o777),
            /writable by other users/,
          ]] as const
        ) {
          const monitor = place.monitor(places(place, { [option]: path }), permissions);
          assertEquals(await monitor.ended(), 1);
          assertMatch(monitor.stderr.join("\n"), why);
          assertEquals(contents(path), {});
        }
      },
    );
  }

  neighbourTest(
    `the monitor runs nothing from logs that a neighbour swaps for the config directory (${how})`,
    async () => {
      await using place = new Place();
      const mark = place.file("mark");
      place.make("outer");
      const config = place.make("outer/config");
      const logs = place.make("logs", 0o750);
      place.write("outer/config/web", sleeper(place.dir));
      const monitor = place.monitor(places(place, { config, logs, frequency: "0.2" }), permissions);
      const [, pid] = await monitor.waitFor(/web: gone -> running .*, pid (\d+)/);
      // A line that a neighbour's service writes ends up in a file of root's.
      place.write("logs/web.log", marking(mark));
      place.give("outer");
      assertEquals(await place.attack(`cd "$1/outer" && mv config aside && ln -s "$1/logs" config`), "");
      await monitor.waitFor(
        /ERROR cannot read the config directory .* its parent directory ".*\/outer" is owned by uid 65534.*; running processes/,
      );
      place.write("logs/last.log", marking(mark));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      assertEquals(contents(place.dir.path), {}, "nothing left its mark");
      assertEquals([isAlive(Number(pid)), monitor.count(/-> running/)], [true, 1]);
    },
  );

  neighbourTest(
    `the monitor never runs a config through a symlink that a neighbour keeps swapping (${how})`,
    async () => {
      await using place = new Place();
      const mark = place.file("mark");
      const config = place.make("config");
      const logs = place.make("logs", 0o750);
      place.write("logs/web.log", marking(mark));
      place.make("good");
      place.write("good/web", sleeper(place.dir));
      Deno.symlinkSync(place.file("good"), place.file("home", "way"));
      Deno.symlinkSync(place.file("home", "way", "web"), `${config}/web`);
      Deno.symlinkSync(place.file("home", "way", "web.log"), `${config}/web.log`);
      const monitor = place.monitor(places(place, { config, logs, frequency: "0.05" }), permissions);
      await monitor.waitFor(/WARN web: invalid config: its parent directory ".*\/home" is owned by uid 65534/);
      await place.attackOn(`cd "$1/home"; while :; do ln -sfn "$1/logs" way; ln -sfn "$1/good" way; done`);
      await new Promise((resolve) => setTimeout(resolve, 5000));
      assertEquals([contents(place.dir.path), monitor.count(/-> running/)], [{}, 0]);
    },
  );

  neighbourTest(
    `the monitor removes no file from a directory of root's that is swapped for the messages directory (${how})`,
    async () => {
      await using place = new Place();
      place.make("outer");
      const messages = place.make("outer/messages");
      const config = place.make("config");
      place.write("config/web", sleeper(place.dir));
      const valuable = place.make("valuable");
      for (let i = 0; i < 153; i++) place.write(`valuable/file${i}`, `precious ${i}`);
      const before = contents(valuable);
      const monitor = place.monitor(places(place, { config, messages, frequency: "0.2" }), permissions);
      await monitor.waitFor(/web: gone -> running/);
      place.give("outer");
      assertEquals(await place.attack(`cd "$1/outer" && mv messages aside && ln -s "$1/valuable" messages`), "");
      await monitor.waitFor(
        /ERROR cannot use the new messages directory .*: its parent directory ".*\/outer" is owned by uid 65534.*; the old one stays in use/,
      );
      if (permissions.length === 1) {
        // The locked directory is held open, wherever it has been moved.
        place.write("outer/aside/message", '{"type": "RESTART", "name": "web"}');
        await monitor.waitFor(/INFO message "message": RESTART "web"/);
      } else {
        place.write("valuable/message", '{"type": "RESTART", "name": "web"}');
        await new Promise((resolve) => setTimeout(resolve, 1500));
        Deno.removeSync(place.file("valuable", "message"));
        assertEquals(monitor.matching(/RESTART/), []);
      }
      assertEquals([contents(valuable), [...Deno.readDirSync(valuable)].length], [before, 153]);
    },
  );
}

neighbourTest(
  "the monitor trusts a read-only mount of a neighbour's directory only with --trust-read-only-mount",
  async () => {
    await using place = new Place();
    const config = place.make("config");
    await place.attack(`echo '${sleeper(place.dir)}' > "$1/home/web"`);
    const script = 'mount --bind "$0" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"';
    const wrap = ["unshare", "--mount", "sh", "-c", script, place.home, config];
    const refused = place.monitor(places(place, { config }), ["-A"], wrap);
    assertEquals(await refused.ended(), 1);
    assertMatch(
      refused.stderr.join("\n"),
      /owned by uid 65534, .*; fix it with chmod or chown, or use --allow-insecure or --trust-read-only-mount$/,
    );
    const trusted = place.monitor([...places(place, { config }), "--trust-read-only-mount"], ["-A"], wrap);
    await trusted.waitFor(/web: gone -> running/);
  },
);

neighbourTest(
  "the monitor writes a log nowhere else if its directory is given away and a symlink replaces it",
  async () => {
    await using place = new Place();
    const config = place.make("config");
    const secret = place.write("secret", "root's own\n", 0o600);
    const logs = place.file("logs");
    place.write("config/web", JSON.stringify({ args: ["sh", "-c", "while :; do seq 100; sleep 0.05; done"] }));
    const monitor = place.monitor(places(place, { config, logs, "log-size": "4096", "log-keep": "1" }));
    await until("it writes", () => hasFile(`${logs}/web.log`));
    place.give("logs");
    Deno.chmodSync(logs, 0o755);
    await place.attackOn('cd "$1/logs"; while :; do ln -sf "$1/secret" web.log; ln -sf "$1/secret" web.log.1; done');
    // Either the symlink or the directory is refused.
    await monitor.waitFor(
      /ERROR web: cannot (?:write to|rotate) ".*web\.log": .*; the output of the process (?:waits|goes to the monitor's output)$/,
    );
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assertEquals(Deno.readTextFileSync(secret), "root's own\n");
    assertEquals(monitor.count(/ERROR/), 1);
  },
);

neighbourTest(
  "a directory in the way of an old log diverts output to the monitor's, is logged once, and loses no line",
  async () => {
    await using place = new Place();
    const config = place.make("config");
    const logs = place.make("logs", 0o750);
    // Two of them, so that rotation cannot rename the first over the second.
    for (const name of ["web.log.1", "web.log.2"]) {
      Deno.mkdirSync(place.file("logs", name, "below"), {
        recursive: true,
      });
    }
    const script = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i + 1)); done; exec sleep 1000";
    place.write("config/web", JSON.stringify({ args: ["sh", "-c", script] }));
    const monitor = place.monitor(places(place, { config, logs, "log-size": "4096", "log-keep": "2" }));
    await monitor.waitFor(
      /ERROR web: cannot rotate ".*web\.log": .*; the output of the process goes to the monitor's output$/,
    );
    await monitor.waitFor(/^\[web\] line 1999$/);
    assertEquals([monitor.count(/ERROR/), Deno.statSync(place.file("logs", "web.log")).size <= 4096], [1, true]);
    for (const name of ["web.log.1", "web.log.2"]) Deno.removeSync(place.file("logs", name), { recursive: true });
    const filed = Deno.readTextFileSync(place.file("logs", "web.log")).split("\n").length - 1;
    assertEquals(filed + monitor.count(/^\[web\] line \d+$/), 2000);
    assertEquals(monitor.isOver, false);
  },
);

neighbourTest("the monitor makes pid and log directories 0750 and log files 0640, whatever the umask", async () => {
  await using place = new Place();
  const config = place.make("config");
  place.write("config/web", JSON.stringify({ args: ["sh", "-c", "echo hello; exec sleep 1000"] }));
  const [logs, pid, log] = [place.file("run", "logs"), place.file("run", "pids"), place.file("monitor.log")];
  const wrap = ["sh", "-c", 'umask 000; exec "$@"', "sh"];
  place.monitor(places(place, { config, logs, pid, "log-file": log }), ["-A"], wrap);
  await until("it writes", () => hasFile(`${logs}/web.log`) && hasFile(`${pid}/web`));
  const modes = [
    "run",
    "run/logs",
    "run/pids",
    "run/logs/web.log",
    "monitor.log",
    "run/pids/.children",
    "messages/.lock",
  ];
  assertEquals(modes.map((name) => ((Deno.statSync(place.file(name)).mode ?? 0) & 0o777).toString(8)), [
    ...["750", "750", "750", "640", "640", "600", "600"],
  ]);
});

neighbourTest(
  "the monitor refuses --log-file in a neighbour's directory, and if it is a symlink or a FIFO",
  async () => {
    await using place = new Place();
    const secret = place.write("secret", "root's own\n", 0o600);
    Deno.symlinkSync(secret, place.file("home", "link"));
    assertEquals((await run(["mkfifo", place.file("pipe")])).code, 0);
    for (
      const [path, why] of [["home/log", /its parent directory/], ["home/link", /its parent directory/], [
        "pipe",
        /not a regular file/,
      ]] as const
    ) {
      const monitor = place.monitor(places(place, { "log-file": place.file(path) }));
      assertEquals(await monitor.ended(), 1);
      assertMatch(monitor.stderr.join("\n"), /^ncolony-monitor: Cannot write to ".*": /);
      assertMatch(monitor.stderr.join("\n"), why);
    }
    assertEquals([Deno.readTextFileSync(secret), contents(place.home)], ["root's own\n", {}]);
  },
);

neighbourTest("a forged pid file in a neighbour's directory ends no process", async () => {
  await using place = new Place();
  const config = place.make("config");
  const pids = place.make("pids");
  place.write("config/web", sleeper(place.dir));
  const victim = new Deno.Command("sleep", { args: ["1000"], stdin: "null" }).spawn();
  try {
    place.give("pids");
    const forged = { name: "web", config: "x", boot: null, pid: victim.pid, start: null };
    await place.attack(`cd "$1/pids"; echo ${victim.pid} > web; echo '${JSON.stringify(forged)}' > .children`);
    const monitor = place.monitor(places(place, { config, pid: pids }));
    assertEquals(await monitor.ended(), 1);
    // The neighbour's file is not trusted either if root has taken the directory back.
    Deno.chownSync(pids, 0, 0);
    Deno.removeSync(`${pids}/web`);
    const again = place.monitor(places(place, { config, pid: pids }));
    await again.waitFor(/web: gone -> running/);
    assertEquals(isAlive(victim.pid), true);
  } finally {
    victim.kill("SIGKILL");
    await victim.status;
  }
});

Deno.test("the monitor refuses swapped --config and --messages, and loses no config", async () => {
  await using place = new Place();
  const config = place.make("config");
  for (let i = 0; i < 160; i++) place.write(`config/web${i}`, sleeper(place.dir));
  const before = contents(config);
  for (const permissions of [["-A"], MONITOR_PERMISSIONS]) {
    const monitor = place.monitor(["--config", place.make("messages"), "--messages", config], permissions);
    assertEquals(await monitor.ended(), 1);
    assertMatch(
      monitor.stderr.join("\n"),
      /^ncolony-monitor: Cannot use directory ".*config" for messages: it contains the config "web\d+"; did you swap --config and --messages\?$/,
    );
    assertEquals([contents(config), [...Deno.readDirSync(config)].length], [before, 160]);
  }
});

Deno.test("the monitor deletes no file that is not a message, whatever their number and the mode of the directory", async () => {
  for (const mode of [0o755, 0o777, 0o1777]) {
    await using place = new Place();
    const messages = place.make("messages", mode);
    for (let i = 0; i < 153; i++) place.write(`messages/file${i}`, `precious ${i}`);
    const monitor = place.monitor(["--config", place.make("config"), "--messages", messages, "--frequency", "0.2"]);
    const kept = mode === 0o777 ? 0 : 100;
    if (mode === 0o755) {
      await monitor.waitFor(/is invalid and stays in place \(\.rejected already has 100 messages\)/, 53);
    } else await monitor.waitFor(/more lines about messages were suppressed/);
    await until("all were looked at", () => filesIn(messages).length === 153 - kept);
    const all = { ...contents(messages), ...(kept > 0 ? contents(`${messages}/.rejected`) : {}) };
    assertEquals(Object.keys(all).length, 153);
  }
});

function hasFile(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch {
    return false;
  }
}
