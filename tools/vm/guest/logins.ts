import { assertEquals, assertMatch } from "@std/assert";
import { running, uniqueSleep, untilRunning } from "../../../tests/cli/escapes.ts";
import { gone, sh, signalIfThere } from "../../../tests/cli/tools.ts";
import { until } from "../../../tests/helpers.ts";
import { cgroupOf, output, pidsIn } from "./system.ts";
import { ENV, HOME, Unit } from "./unit.ts";

/** The user that logs in. Its shell is another one, so each login names one. */
const USER = "games";

/** Returns the words of a login whose command ignores SIGTERM, which `su` passes on to it. */
function su(command: string): string[] {
  return ["su", "-s", "/bin/sh", "-c", `trap '' TERM; ${command}`, USER];
}

/** Returns the same as a part of a shell script. */
function suInShell(command: string): string {
  return `su -s /bin/sh -c "trap '' TERM; ${command}" ${USER}`;
}

for (
  const [what, argsOf] of [
    ["that is a login", su],
    ["with a login", (sleep: string) => sh(`${suInShell(sleep)} & exec sleep 1000`)],
    ["with two logins", (sleep: string) => sh(`${suInShell(sleep)} & ${suInShell("sleep 1001")} & exec sleep 1000`)],
  ] as const
) {
  Deno.test(`everything that a process ${what} started ends with its restart, and with its stop`, async () => {
    await using unit = await Unit.start();
    const sleep = uniqueSleep();
    let before: number[] = [];
    for (let nth = 1; nth <= 3; nth++) {
      const monitor = { kill_time: 0.3 };
      unit.put("web", { args: argsOf(sleep), env: { ...ENV, N: `${nth}` }, "ncolony.monitor": monitor });
      await unit.started("web", nth);
      await untilRunning(sleep, 1);
      const [pid] = await running(sleep);
      assertMatch(cgroupOf(pid!), /\/user\.slice\/.*\/session-\w+\.scope$/, "systemd moved it");
      await gone(...before);
      before = pidsIn(cgroupOf(pid!));
    }
    await unit.end("web");
    assertEquals(await running(sleep), []);
    await gone(...before);
    assertEquals(pidsIn(HOME), [await unit.pid()]);
  });
}

Deno.test("a process with a login is not started again before the login has ended", async () => {
  await using unit = await Unit.start();
  const sleep = uniqueSleep();
  const config = { args: sh(`${suInShell(sleep)} & read -r line; exec sleep 1`), env: ENV };
  unit.put("web", { ...config, "ncolony.monitor": { kill_time: 1 } });
  const pid = await unit.started("web");
  await untilRunning(sleep, 1);
  const [inside] = await running(sleep);
  // Only its login is left.
  signalIfThere(pid, "SIGKILL");
  await unit.started("web", 2);
  assertEquals((await running(sleep)).includes(inside!), false);
  await unit.end("web");
  assertEquals(await running(sleep), []);
});

Deno.test("systemctl stop ends logins, and the next monitor ends those that a killed one left", async () => {
  const sleep = uniqueSleep();
  const web = { args: sh(`${suInShell(sleep)} & exec sleep 1000`), env: ENV };
  await using unit = await Unit.start({ config: { web } });
  await unit.started("web");
  await untilRunning(sleep, 1);
  const [inside] = await running(sleep);
  Deno.kill(await unit.pid(), "SIGKILL");
  await unit.started("web", 2);
  await gone(inside!);
  await untilRunning(sleep, 1);
  await unit[Symbol.asyncDispose]();
  assertEquals(await running(sleep), []);
});

Deno.test("a person's login stays, whatever ends", async () => {
  await using unit = await Unit.start();
  const [own, sleep, other] = [uniqueSleep(), uniqueSleep(), uniqueSleep()];
  const person = `/usr/bin/${uniqueSleep()}`;
  const login = ["systemd-run", "--quiet", "--collect", "--property=PAMName=login", `--property=User=${USER}`];
  await output(...login, "--unit=person", ...person.split(" "));
  // As sshd does, whose logins begin their own sessions. What it leaves is in no cgroup of the monitor.
  const sshd = sh(`setsid sh -c '${suInShell(sleep).replaceAll("'", `'\\''`)}' & exec sleep 1000`);
  const monitor = { kill_scope: "process", kill_time: 0.3 };
  unit.put("sshd", { args: sshd, env: ENV, "ncolony.monitor": monitor });
  unit.put("web", { args: su(own), env: ENV, "ncolony.monitor": { kill_time: 0.3 } });
  const outside = new Deno.Command("setsid", { args: su(other), stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  try {
    for (const command of [own, sleep, person, other]) await untilRunning(command, 1);
    const scopes = await Promise.all([own, sleep, person, other].map(async (it) => cgroupOf((await running(it))[0]!)));
    for (const scope of scopes) assertMatch(scope, /\/session-\w+\.scope$/);
    for (const name of ["web", "sshd"]) await unit.end(name);
    assertEquals(await running(own), []);
    await unit[Symbol.asyncDispose]();
    for (const command of [sleep, person, other]) assertEquals((await running(command)).length, 1);
  } finally {
    for (const command of [sleep, person, other]) {
      for (const pid of await running(command)) signalIfThere(pid, "SIGKILL");
    }
    await outside.status;
  }
});

Deno.test("a monitor that a person started from a login leaves that login alone", async () => {
  const sleep = uniqueSleep();
  const program =
    `${Deno.execPath()} run --no-prompt --no-config --allow-all /usr/local/lib/ncolony/ncolony-monitor.js`;
  Deno.mkdirSync("/run/by-hand/config", { recursive: true });
  Deno.mkdirSync("/run/by-hand/messages");
  const web = { args: su(sleep), env: ENV, "ncolony.monitor": { kill_time: 0.3 } };
  Deno.writeTextFileSync("/run/by-hand/config/web", JSON.stringify(web));
  const places = "--config /run/by-hand/config --messages /run/by-hand/messages";
  const login = ["systemd-run", "--quiet", "--pipe", "--collect", "--property=PAMName=login", "--property=User=root"];
  const shell = `trap : TERM; ${program} ${places}; echo still here`;
  const person = new Deno.Command(login[0]!, {
    args: [...login.slice(1), ...sh(shell)],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await untilRunning(sleep, 1);
  const [inside] = await running(sleep);
  // There is no login within a login, so it is where the monitor started it.
  const [, scope] = /^(.*\/session-\w+\.scope)\/ncolony:/.exec(cgroupOf(inside!)) ?? [];
  const monitors = pidsIn(scope!).filter(isMonitor);
  assertEquals(monitors.length, 1);
  Deno.removeSync("/run/by-hand/config/web");
  await until("it ends", () => !pidsIn(scope!).includes(inside!));
  Deno.kill(monitors[0]!, "SIGTERM");
  const { stdout } = await person.output();
  assertEquals(new TextDecoder().decode(stdout), "still here\n");
  Deno.removeSync("/run/by-hand", { recursive: true });
});

function isMonitor(pid: number): boolean {
  return Deno.readTextFileSync(`/proc/${pid}/cmdline`).startsWith(Deno.execPath());
}
