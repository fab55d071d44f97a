import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { ALL, HAS_CGROUPS } from "../cli/escapes.ts";
import { Program } from "../cli/program.ts";
import { gone, IS_ROOT, run, sh, signalIfThere } from "../cli/tools.ts";
import { type TempDir, tempDir } from "../helpers.ts";

const PROGRAM = fromFileUrl(import.meta.resolve("./logins_program.ts"));

/** The cgroup that this program is in. */
const OWN = (await run(sh(`
  mount=$(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\([^ ]*\\) .* - cgroup2 .*/\\1/p' /proc/self/mountinfo | tail -n 1)
  echo "$mount$(sed -n 's|^0::/\\{0,1\\}|/|p' /proc/self/cgroup)"
`))).stdout.trim().replace(/\/$/, "");

/** How a program looks for logins. */
interface LookOptions {
  /** The leader of the session. */
  readonly pid?: number;
  /** A command that becomes the program. */
  readonly wrap?: readonly string[];
  /** What the program believes about the leader. */
  readonly state?: "runs" | "exited";
}

/** A session with the processes of a login in it, as su(1) and systemd make them: what opened it, and what it runs. */
class Session implements AsyncDisposable {
  readonly #dir: TempDir = tempDir();
  readonly #cgroup: string;
  readonly #leader: Program;
  #pids: number[] = [];

  private constructor(name: string) {
    this.#cgroup = `${OWN}/${name}`;
    const enter = `echo \\$\\$ > '${this.#cgroup}/cgroup.procs' && echo`;
    const opener = `sh -c "${enter} opener \\$\\$ && exec sleep 1000"`;
    const command = `setsid sh -c "${enter} command \\$\\$ && exec sleep 1000"`;
    this.#leader = new Program([
      "setsid",
      ...sh(`mkdir '${this.#cgroup}'; ${opener} & ${command} & wait; exec sleep 1000`),
    ]);
  }

  static async begin(name: string): Promise<Session> {
    const session = new Session(name);
    for (const who of ["opener", "command"]) {
      session.#pids.push(await session.#leader.numberIn(new RegExp(`^${who} (\\d+)$`)));
    }
    return session;
  }

  /** The cgroup of the login. */
  get cgroup(): string {
    return this.#cgroup;
  }

  /** The pid of the leader. */
  get pid(): number {
    return this.#leader.process.pid;
  }

  /** The pids of what opened the login, and of what it runs. */
  get pids(): readonly number[] {
    return this.#pids;
  }

  /** Lists the login. */
  list(name: string, lines: Record<string, string | number>): void {
    this.#dir.write(name, Object.entries(lines).map(([key, value]) => `${key}=${value}\n`).join(""));
  }

  /** Starts the program that looks for logins of this session, or of another one. */
  look({ pid = this.pid, wrap = [], state = "runs" }: LookOptions = {}): Program {
    const deno = [Deno.execPath(), "run", "--frozen", "--no-prompt", ...ALL, PROGRAM];
    return new Program([...wrap, ...deno, this.#dir.path, `${pid}`, state], { stdin: "piped" });
  }

  /** Creates a FIFO among the lists. */
  async addFifo(name: string): Promise<void> {
    assertEquals((await run(["mkfifo", this.#dir.file(name)])).code, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.#pids) signalIfThere(pid, "SIGKILL");
    await this.#leader[Symbol.asyncDispose]();
    await gone(...this.#pids);
    assertEquals((await run(["rmdir", this.#cgroup])).code, 0);
    this.#dir[Symbol.dispose]();
  }
}

/** Returns what a program answers to a line. */
async function ask(program: Program, line: string): Promise<string> {
  await program.say(line);
  return (await program.waitFor(new RegExp(`^${line}: (.*)$`)))[1]!;
}

function test(name: string, fn: (scope: string) => Promise<void>): void {
  const ignore = !HAS_CGROUPS || !IS_ROOT;
  const scope = `session-test-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}.scope`;
  Deno.test({ name: `${name}${ignore ? " (skipped: needs cgroups, or root)" : ""}`, ignore, fn: () => fn(scope) });
}

test("Logins finds a login of the session, and remembers it until its last process has ended", async (scope) => {
  await using session = await Session.begin(scope);
  const [opener, command] = session.pids as [number, number];
  await using program = session.look();
  assertEquals(await ask(program, "unlisted"), "");
  session.list("c1", { UID: 0, SCOPE: scope, LEADER: opener, TYPE: "tty" });
  await session.addFifo("c1.ref");
  assertEquals(await ask(program, "listed"), session.cgroup);
  signalIfThere(opener, "SIGKILL");
  assertEquals(await ask(program, "left"), session.cgroup);
  signalIfThere(command, "SIGKILL");
  await gone(opener, command);
  assertEquals(await ask(program, "over"), "");
});

test("Logins does not find logins that were opened from another session", async (scope) => {
  await using session = await Session.begin(scope);
  const [opener, command] = session.pids as [number, number];
  session.list("c1", { SCOPE: scope, LEADER: command });
  await using program = session.look();
  assertEquals(await ask(program, "by what has left"), "");
  session.list("c1", { SCOPE: scope, LEADER: opener });
  await using other = session.look({ pid: Deno.pid });
  assertEquals(await ask(other, "of another"), "");
  assertEquals(await ask(program, "of this"), session.cgroup);
  // Then another program has its pid.
  await using successor = session.look({ state: "exited" });
  assertEquals(await ask(successor, "of a leader that has exited"), "");
});

test("Logins takes no cgroup for that of a login that is not", async (scope) => {
  await using session = await Session.begin(scope.replace(".scope", ".service"));
  const [opener] = session.pids;
  await using program = session.look();
  for (const other of [scope, scope.replace(".scope", ".service"), "", "/", ".."]) {
    session.list("c1", { SCOPE: other, LEADER: opener! });
    assertEquals(await ask(program, `SCOPE=${other}`), "");
  }
});

test("Logins never finds the login that this program runs in", async (scope) => {
  await using session = await Session.begin(scope);
  session.list("c1", { SCOPE: scope, LEADER: session.pids[0]! });
  const inside = [...sh(`echo $$ > '${session.cgroup}/cgroup.procs' && exec "$@"`), "sh"];
  await using program = session.look({ wrap: inside });
  assertEquals(await ask(program, "inside"), "");
  await using outside = session.look();
  assertEquals(await ask(outside, "outside"), session.cgroup);
  assertEquals(await program.stop(), 143);
});
