import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseSpec } from "@ncolony/core";
import { type ChildListener, configDirectory } from "@ncolony/host";
import { Leftover } from "../../host/children/leftover.ts";
import { identify } from "../../host/children/trace.ts";
import { DenoPidFiles } from "../../host/children/pid_files.ts";
import { Cgroup } from "../../host/scopes/cgroup.ts";
import type { ProcView } from "../../host/scopes/proc_view.ts";
import { isAlive, type TempDir, tempDir, until } from "../helpers.ts";
import { Actor } from "./actors.ts";
import { ending, stateOf, Trial } from "./children.ts";
import { HandClock } from "./fakes.ts";

/** A pid directory and a config directory. */
class Place implements Disposable {
  readonly dir: TempDir = tempDir();
  readonly pids: string = this.dir.dir("pids");
  readonly config: string = this.dir.dir("config");

  constructor() {
    Deno.chmodSync(this.pids, 0o750);
  }

  /** Records a child as a monitor does. Without a pid, one that it is about to start. */
  async record(config: string, pid?: number): Promise<void> {
    assertEquals(await told("record", this.pids, config, ...(pid === undefined ? [] : [`${pid}`])), [
      { faults: [null, null] },
    ]);
  }

  /** Returns what a successor finds, and after a signal, the events that it sees. */
  async leftovers(signal?: Deno.Signal): Promise<unknown[]> {
    return await told("leftovers", this.pids, this.config, ...(signal === undefined ? [] : [signal]));
  }

  /** The path of the file with the records of children. */
  get table(): string {
    return `${this.pids}/.children`;
  }

  names(): string[] {
    return [...Deno.readDirSync(this.pids)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

/** Runs an actor that may read /proc. Returns its lines, parsed. */
async function told(...args: string[]): Promise<unknown[]> {
  await using actor = new Actor(args);
  return (await actor.result()).trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Returns a config of a process, as a {@linkcode Trial} has it. */
function configOf(args: readonly string[], more: Record<string, unknown> = {}): string {
  return JSON.stringify({ args, ...more });
}

const SLEEP = ["sleep", "300"];

Deno.test("findChildren() recognizes a child by its record", async () => {
  using place = new Place();
  const args = ["/usr/bin/env", "-i", "sleep", "300"];
  await using trial = new Trial(args);
  await place.record(configOf(args), trial.pid);
  assertEquals((Deno.statSync(place.table).mode ?? 0) & 0o777, 0o600);
  assertEquals(await place.leftovers(), [[{ name: "web", pids: [trial.pid], isKnown: true }]]);
  assertEquals(place.names(), [".children", "web"]);
});

for (const difference of [{ start: "1" }, { boot: "another" }]) {
  Deno.test(`findChildren() takes a child of another ${Object.keys(difference)} for a stranger`, async () => {
    using place = new Place();
    await using trial = new Trial(SLEEP);
    await place.record(configOf(SLEEP), trial.pid);
    const [line] = Deno.readTextFileSync(place.table).split("\n");
    Deno.writeTextFileSync(place.table, `${JSON.stringify({ ...JSON.parse(line!), ...difference })}\n`);
    Deno.removeSync(`${place.pids}/web`);
    assertEquals(await place.leftovers("SIGKILL"), [[], []]);
    assertEquals(place.names(), [".children"]);
    assertEquals([isAlive(trial.pid), trial.events], [true, []]);
  });
}

Deno.test("findChildren() recognizes a child without a record by its environment, and no other process", async () => {
  using place = new Place();
  await using trial = new Trial(SLEEP);
  for (const name of ["web", "db"]) Deno.writeTextFileSync(`${place.pids}/${name}`, `${trial.pid}\n`);
  assertEquals(await place.leftovers(), [[{ name: "web", pids: [trial.pid], isKnown: true }]]);
  assertEquals(place.names(), [".children", "web"]);
});

Deno.test("findChildren() removes the files of processes that are gone", async () => {
  using place = new Place();
  await using trial = new Trial(SLEEP);
  await place.record(configOf(SLEEP), trial.pid);
  trial.child?.signal("SIGKILL");
  await trial.emptied();
  const files = new DenoPidFiles(place.pids, {}, new HandClock());
  assertEquals(await files.findChildren(configDirectory(place.config)), []);
  files.close();
  assertEquals(place.names(), []);
});

Deno.test("findChildren() reports the exit of a child and its group once all of it has exited", async () => {
  using place = new Place();
  const args = ["sh", "-c", "sleep 300 & echo $!; wait"];
  await using trial = new Trial(args);
  using _grandchild = ending(Number(await trial.line()));
  await place.record(configOf(args), trial.pid);
  const [found, events] = await place.leftovers("SIGTERM");
  assertEquals(found, [{ name: "web", pids: [trial.pid], isKnown: true }]);
  assertEquals(events, ["exit status unknown (started by a previous monitor)", "group-exited"]);
  assertEquals(trial.events[0], "leader-exited: SIGTERM");
});

Deno.test("findChildren() finds what is left in the group of a leader that has exited", async () => {
  using place = new Place();
  const args = ["sh", "-c", "sleep 300 & echo $!; read line; exit 0"];
  await using trial = new Trial(args);
  using _grandchild = ending(Number(await trial.line()));
  await place.record(configOf(args), trial.pid);
  Deno.kill(trial.pid, "SIGKILL");
  await until("the leader has ended", () => trial.events.length > 0);
  assertEquals(await place.leftovers(), [[{ name: "web", pids: [trial.pid], isKnown: true }]]);
});

Deno.test("findChildren() signals only the leader if kill_scope is process", async () => {
  using place = new Place();
  const args = ["sh", "-c", "sleep 300 & echo $!; wait"];
  await using trial = new Trial(args);
  await place.record(configOf(args, { "ncolony.monitor": { kill_scope: "process" } }), trial.pid);
  const [, events] = await place.leftovers("SIGTERM");
  assertEquals(events, ["exit status unknown (started by a previous monitor)", "group-exited"]);
  assertMatch(await stateOf(Number(await trial.line())), /^[SR]$/);
});

Deno.test("findChildren() waits a second for a child that was about to be started, and then frees its name", async () => {
  using place = new Place();
  await place.record(configOf(SLEEP));
  assertEquals(await place.leftovers("SIGTERM"), [[{ name: "web", pids: [], isKnown: true }], [
    "exit status unknown (started by a previous monitor)",
    "group-exited",
  ]]);
});

Deno.test("findChildren() finds and signals what is left of a group whose leader is an unreaped zombie", async () => {
  using place = new Place();
  const args = [
    "sh",
    "-c",
    // A process that has become sleep reaps no children.
    "setsid sh -c 'sleep 300 </dev/null >/dev/null 2>&1 & echo $$ $!' & exec sleep 300 >/dev/null",
  ];
  await using trial = new Trial(args);
  const [leader, member] = (await trial.line()).split(" ").map(Number);
  using _member = ending(member!);
  await until("the leader is a zombie", async () => await stateOf(leader!) === "Z");
  Deno.writeTextFileSync(`${place.pids}/web`, `${leader}`);
  assertEquals(await place.leftovers("SIGTERM"), [[{ name: "web", pids: [leader], isKnown: true }], [
    "exit status unknown (started by a previous monitor)",
    "group-exited",
  ]]);
  // It may not have been reaped yet.
  assertEquals(["R", "S"].includes(await stateOf(member!)), false);
});

/** Starts a process like one of a monitor that was killed at once: it has another parent, and no pipes. */
async function stray(config: string, env: Record<string, string> = {}, uid?: number): Promise<number> {
  const script = "setsid sleep 300 <&- >/dev/null 2>&1 & echo $!";
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", uid === undefined ? script : `setpriv --reuid ${uid} --clear-groups sh -c '${script}'`],
    env: { NCOLONY_NAME: "web", NCOLONY_CONFIG: config, ...env },
  }).output();
  return Number(new TextDecoder().decode(stdout));
}

/** Waits until a process has the environment of a stray, and leads its own group. */
async function settled(pid: number): Promise<void> {
  for (let state = ""; state !== `${pid}`;) {
    await using trial = new Trial(["sh", "-c", `read -r stat < /proc/${pid}/stat; echo "$stat"`]);
    state = (await trial.result()).split(" ")[4] ?? "";
  }
}

Deno.test("findChildren() finds a process with the colony's name and config even if no file names it", async () => {
  using place = new Place();
  const config = configOf(SLEEP);
  const pid = await stray(config);
  using _stray = ending(pid);
  await settled(pid);
  for (const pids of [place.pids, "none"]) {
    assertEquals(await told("leftovers", pids, place.config), [[]], "the config is another colony's");
  }
  Deno.writeTextFileSync(`${place.config}/web`, config);
  for (const pids of [place.pids, "none"]) {
    assertEquals(await told("leftovers", pids, place.config), [[{ name: "web", pids: [pid], isKnown: true }]]);
  }
  assertEquals(await place.leftovers("SIGTERM"), [[{ name: "web", pids: [pid], isKnown: true }], [
    "exit status unknown (started by a previous monitor)",
    "group-exited",
  ]]);
});

Deno.test("findChildren() finds a process that was started with a config that was edited since", async () => {
  using place = new Place();
  const pid = await stray(configOf(SLEEP));
  using _stray = ending(pid);
  await settled(pid);
  Deno.writeTextFileSync(`${place.config}/web`, configOf(["cat"]));
  assertEquals(await place.leftovers(), [[]]);
  await place.record(configOf(SLEEP));
  assertEquals(await place.leftovers(), [[{ name: "web", pids: [pid], isKnown: true }]]);
});

Deno.test("findChildren() finds all processes with the same name, and reports the exit once all have exited", async () => {
  using place = new Place();
  const config = configOf(SLEEP);
  Deno.writeTextFileSync(`${place.config}/web`, config);
  const pids = [await stray(config), await stray(config)];
  using _one = ending(pids[0]!);
  using _two = ending(pids[1]!);
  for (const pid of pids) await settled(pid);
  const [found] = await place.leftovers("SIGTERM");
  assertEquals((found as { pids: number[] }[])[0]?.pids.sort(), pids.sort());
  for (const pid of pids) await until(`${pid} has ended`, () => !isAlive(pid));
});

Deno.test("findChildren() leaves alone a process of another monitor with the same name and config", async () => {
  using place = new Place();
  const config = configOf(SLEEP);
  Deno.writeTextFileSync(`${place.config}/web`, config);
  await using _trial = new Trial(SLEEP);
  assertEquals(await place.leftovers(), [[]]);
});

Deno.test("findChildren() leaves alone another user's process with the colony's name and config", async () => {
  using place = new Place();
  const config = configOf(SLEEP);
  Deno.writeTextFileSync(`${place.config}/web`, config);
  const pid = await stray(config, {}, 65_534);
  using _stray = ending(pid);
  await settled(pid);
  assertEquals(await place.leftovers(), [[]]);
});

Deno.test("findChildren() recognizes a child by its name and by its record even if it may not read /proc itself", async () => {
  for (const isIdentified of [false, true]) {
    using place = new Place();
    const clock = new HandClock();
    const config = configDirectory(place.config);
    // By its environment it would be a stranger.
    const args = isIdentified ? ["/usr/bin/env", "-i", "sleep", "300"] : SLEEP;
    await using trial = new Trial(args);
    if (isIdentified) await until("it is sleep", async () => (await stateOf(trial.pid)) === "S");
    const files = new DenoPidFiles(place.pids, {}, clock);
    await files.findChildren(config);
    assertEquals(files.write(parseSpec("web", configOf(args)), trial.pid), null);
    // The first full scan after the start.
    if (isIdentified) assertEquals(files.restore(), null);
    files.close();
    const [found] = await new DenoPidFiles(place.pids, {}, clock).findChildren(config);
    assertEquals([found?.name, found?.pids, found?.isKnown], ["web", [trial.pid], true]);
    const told: string[] = [];
    const child = found!.open(listenerTo(told));
    child.signal("SIGTERM");
    await trial.emptied();
    await until("its end is told", () => {
      clock.advance(1000);
      return told.length === 2;
    });
    assertEquals(told, ["unknown", "group-exited"]);
  }
});

Deno.test("findChildren() leaves a stranger alone if it may not read /proc itself", async () => {
  using place = new Place();
  const stranger = new Deno.Command("sleep", { args: ["300"], stdin: "null" }).spawn();
  try {
    Deno.writeTextFileSync(`${place.pids}/web`, `${stranger.pid}`);
    const files = new DenoPidFiles(place.pids, {}, new HandClock());
    assertEquals(await files.findChildren(configDirectory(place.config)), []);
  } finally {
    stranger.kill("SIGKILL");
    await stranger.status;
  }
});

const blind = () => {
  throw new Error("cannot be seen");
};

/** Sees no process. */
const BLIND: ProcView = {
  bootId: blind,
  startOf: blind,
  hasEnded: blind,
  membersOf: blind,
  wasZombie: blind,
  forget: () => {},
  variableOf: blind,
};

/** Finds nothing more. */
const NOTHING = () => Promise.resolve(null);

/** Creates what an earlier monitor left in the group of one process. */
function leftoverOf(pid: number, view: ProcView, clock: HandClock, told: string[]): Leftover {
  const rules = { stopSignal: "SIGTERM", killScope: "group" } as const;
  const traces = [{ name: "web", pid, start: "1", boot: null, rules }];
  return new Leftover({
    pid,
    traces,
    cgroups: [],
    logins: [],
    search: NOTHING,
    view,
    clock,
    listener: listenerTo(told),
  });
}

Deno.test("Leftover signals no process that it cannot see, and waits for it for 60 s", async () => {
  await using trial = new Trial(SLEEP);
  const clock = new HandClock();
  const told: string[] = [];
  const child = leftoverOf(trial.pid, BLIND, clock, told);
  child.signal("SIGKILL");
  child.retry();
  assertEquals(child.refused, true);
  // One timer after another checks whether the wait is over.
  for (let ms = 0; ms < 59_500; ms += 500) await advance(clock, 500);
  assertEquals([told, isAlive(trial.pid)], [[], true]);
  for (let ms = 0; ms < 2000; ms += 500) await advance(clock, 500);
  assertEquals([told.slice(1), isAlive(trial.pid)], [["unknown", "group-exited"], true]);
  assertStringIncludes(told[0]!, `no longer waiting for pid ${trial.pid}, recorded by a previous monitor`);
});

Deno.test("Leftover keeps waiting if it cannot see a process for a moment, however late that is", async () => {
  await using trial = new Trial(SLEEP);
  const clock = new HandClock();
  const told: string[] = [];
  const scarce = new Set<string>();
  // As if no file descriptor were left.
  const see = <T>(what: string, seen: T) => {
    if (scarce.has(what)) throw new Error("Too many open files (os error 24)");
    return seen;
  };
  const view = {
    bootId: () => "",
    startOf: () => see("start", "1"),
    hasEnded: () => see("end", false),
    membersOf: () => [],
    wasZombie: () => false,
    forget: () => {},
    variableOf: () => undefined,
  };
  const child = leftoverOf(trial.pid, view, clock, told);
  assertEquals(child.refused, false);
  for (let ms = 0; ms < 120_000; ms += 500) {
    scarce.clear();
    if (ms % 5000 === 0) scarce.add(ms % 10_000 === 0 ? "start" : "end");
    await advance(clock, 500);
  }
  assertEquals([told, isAlive(trial.pid)], [[], true]);
});

/** A pid that no process can have. */
const SURVIVOR = 2 ** 31;

/** A view of a group in which each process starts the next one and exits. `looks` are the pids of each scan. */
class MovingView implements ProcView {
  readonly #looks: number[][];
  #before: readonly number[] = [];
  /** How many scans it made. */
  scans = 1;

  constructor(...looks: number[][]) {
    this.#looks = looks;
  }

  bootId(): string {
    return "";
  }

  startOf(): null {
    return null;
  }

  hasEnded(pid: number): boolean {
    return pid !== SURVIVOR;
  }

  membersOf(): number[] {
    return this.#looks[0]!;
  }

  wasZombie(pid: number): boolean {
    return this.#before.includes(pid);
  }

  forget(): void {
    this.scans++;
    if (this.#looks.length > 1) this.#before = this.#looks.shift()!;
  }

  variableOf(): string {
    return "web";
  }
}

for (
  const [what, looks, identity] of [
    ["found at the second look", [[7], [8, SURVIVOR]], "ours"],
    ["found at the third look, after nobody", [[], [], [SURVIVOR]], "ours"],
    ["never found", [[], [7], [8], [9], [], [7]], "unknown"],
    ["two zombies, found twice", [[7], [7, 8], [7, 8], [SURVIVOR]], "stranger"],
  ] as const
) {
  Deno.test(`identify() looks again for processes that come and go: ${what}`, async () => {
    // The group exists.
    await using trial = new Trial(["sh", "-c", "sleep 300 & exit"]);
    await until("the leader has exited", () => !isAlive(trial.pid));
    const rules = { stopSignal: "SIGTERM", killScope: "group" } as const;
    const view = new MovingView(...looks.map((pids) => [...pids]));
    const trace = { name: "web", pid: trial.pid, start: "1", boot: null, rules };
    assertEquals(identify(trace, view), identity);
    if (identity === "unknown") return;
    // What was found out answers for all others.
    const { scans } = view;
    for (let other = 0; other < 100; other++) assertEquals(identify(trace, view), identity);
    assertEquals(view.scans, scans);
  });
}

Deno.test("DenoPidFiles records a child that it cannot see at its start, and looks again later", async () => {
  using place = new Place();
  await using trial = new Trial(SLEEP);
  assertEquals(await told("record-unseen", place.pids, configOf(SLEEP), `${trial.pid}`), [
    { faults: [null, null], start: null },
    { fault: null, isNoted: true },
  ]);
});

function listenerTo(told: string[]): ChildListener {
  return {
    leaderExited: ({ type }) => void told.push(type),
    groupExited: () => void told.push("group-exited"),
    warn: (message) => void told.push(message),
  };
}

/** Lets time pass, and lets its effects happen. */
async function advance(clock: HandClock, byMs: number): Promise<void> {
  clock.advance(byMs);
  await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("Leftover keeps waiting for a cgroup that cannot be seen for a moment", async () => {
  using dir = tempDir();
  const clock = new HandClock();
  const told: string[] = [];
  // A file of this name is no directory, so reading what is in it fails.
  const cgroup = new Cgroup(dir.write("cgroup", ""));
  new Leftover({
    pid: 0,
    traces: [],
    cgroups: [cgroup],
    logins: [],
    search: NOTHING,
    view: BLIND,
    clock,
    listener: listenerTo(told),
  });
  for (let ms = 0; ms < 5000; ms += 500) await advance(clock, 500);
  assertEquals(told, []);
  Deno.removeSync(cgroup.path);
  await advance(clock, 500);
  assertEquals(told, ["unknown", "group-exited"]);
});
