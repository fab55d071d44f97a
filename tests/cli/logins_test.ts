import { assertEquals } from "@std/assert";
import { type TempDir, tempDir } from "../helpers.ts";
import { ALL, cgroupsOf, endAll, HAS_CGROUPS, running, uniqueSleep, untilRunning } from "./escapes.ts";
import { Colony } from "./harness.ts";
import { Program } from "./program.ts";
import { gone, IS_ROOT, run, sh, signalIfThere, toolCommand } from "./tools.ts";

const ENV = { PATH: "/bin:/usr/bin" };

/** A directory that a monitor takes for systemd's list of logins, and the cgroup of a login that is listed there. */
class Machine implements AsyncDisposable {
  readonly #dir: TempDir = tempDir();
  readonly #scope = `session-test-${crypto.randomUUID()}.scope`;
  /** What runs in the login. */
  readonly sleep = uniqueSleep();
  #cgroup = "";

  /** Words that make the monitor's command run in this machine. */
  get wrap(): string[] {
    const script = `mount -t tmpfs none /run && mkdir -p /run/systemd/sessions &&
      mount --bind '${this.#dir.path}' /run/systemd/sessions && exec "$@"`;
    return ["unshare", "--mount", ...sh(script), "sh"];
  }

  /** Starts a monitor in it. */
  async colony(): Promise<Colony> {
    const colony = new Colony({ permissions: ALL, wrap: this.wrap, args: ["--killtime", "0.5"] });
    const home = await cgroupsOf(colony);
    this.#cgroup = `${home.slice(0, home.indexOf("/ncolony:"))}/${this.#scope}`;
    return colony;
  }

  /**
   * Returns the `args` of a process with a login: a program that stays in its session, and is moved into the cgroup of
   * the login, starts a command in a session of its own.
   *
   * @param stubborn Whether the login ignores the stop signal.
   */
  args(stubborn: boolean): string[] {
    const lines = `SCOPE=${this.#scope}\\nLEADER=%s\\n`;
    const move = `mkdir -p '${this.#cgroup}' && echo $1 > '${this.#cgroup}/cgroup.procs'`;
    const list = `printf '${lines}' $1 > '${this.#dir.file("c1")}'`;
    const login = this.#dir.write(
      "login.sh",
      `${stubborn ? "trap '' TERM" : ":"}\nset -- $$\n${move} && ${list}\nsetsid ${this.sleep} &\nwait\n`,
    );
    return sh(`sh '${login}' & exec sleep 1000`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = await running(this.sleep);
    await endAll(this.sleep);
    await gone(...left);
    await run(["rmdir", this.#cgroup]);
    this.#dir[Symbol.dispose]();
  }
}

function test(name: string, fn: (machine: Machine) => Promise<void>): void {
  const ignore = !HAS_CGROUPS || !IS_ROOT;
  Deno.test({
    name: `${name}${ignore ? " (skipped: needs cgroups, or root)" : ""}`,
    ignore,
    fn: async () => {
      await using machine = new Machine();
      await fn(machine);
    },
  });
}

test("a login that a process has opened ends with its restart, and with its stop", async (machine) => {
  await using colony = await machine.colony();
  for (let nth = 1; nth <= 3; nth++) {
    colony.put("web", { args: machine.args(true), env: { ...ENV, N: `${nth}` } });
    await colony.started("web", nth);
    await untilRunning(machine.sleep, 1);
  }
  colony.remove("web");
  await colony.waitFor(/INFO web: .* -> gone /);
  assertEquals(await running(machine.sleep), []);
});

test("a login gets the stop signal of its process", async (machine) => {
  await using colony = await machine.colony();
  colony.put("web", { args: machine.args(false), env: ENV, "ncolony.monitor": { kill_time: 20 } });
  await colony.started("web");
  await untilRunning(machine.sleep, 1);
  colony.remove("web");
  await colony.waitFor(/INFO web: stopping -> gone /);
  assertEquals(await running(machine.sleep), []);
});

test("a login that is left of a process ends before the next start", async (machine) => {
  await using colony = await machine.colony();
  colony.put("web", { args: machine.args(true), env: ENV });
  const pid = await colony.started("web");
  await untilRunning(machine.sleep, 1);
  const left = await running(machine.sleep);
  signalIfThere(pid, "SIGKILL");
  await colony.started("web", 2);
  assertEquals((await running(machine.sleep)).filter((pid) => left.includes(pid)), []);
  await untilRunning(machine.sleep, 1);
});

test("a login that a killed monitor left ends before the next start", async (machine) => {
  await using first = await machine.colony();
  const args = machine.args(true);
  first.put("web", { args, env: ENV });
  const leader = await first.started("web");
  await untilRunning(machine.sleep, 1);
  const left = await running(machine.sleep);
  first.process.kill("SIGKILL");
  await first.ended();
  // systemd ends everything in the cgroup of its unit.
  signalIfThere(leader, "SIGKILL");
  await gone(leader);
  assertEquals(await running(machine.sleep), left);
  const monitor = [...machine.wrap, ...toolCommand("monitor/mod.ts", ALL), ...first.places, "--killtime", "0.5"];
  await using next = new Program(monitor);
  await next.waitFor(/ web: killing -> running /);
  assertEquals((await running(machine.sleep)).filter((pid) => left.includes(pid)), []);
});
