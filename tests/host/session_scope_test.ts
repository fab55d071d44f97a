import { assert, assertEquals } from "@std/assert";
import { denoClock } from "@ncolony/host";
import { keyOf, zombiesIn } from "../../host/scopes/proc.ts";
import { ProcessScans } from "../../host/scopes/process_scans.ts";
import { SessionScope } from "../../host/scopes/session_scope.ts";
import { isAlive, until } from "../helpers.ts";
import { ending, inState, Trial } from "./children.ts";

const SESSION = { "ncolony.monitor": { kill_scope: "session" } };

/** Returns a leader that runs a command in another process group of its session, and goes on with `then`. */
function withOtherGroup(command: string, then: string): string[] {
  return ["bash", "-c", `set -m; ${command} & echo $!; ${then}`];
}

Deno.test("Child.signal() reaches processes of the session in other groups, once each", async () => {
  const counting = `sh -c 'trap "echo got it" TERM; trap "exit 0" USR1; echo ready; while :; do sleep 0.01; done'`;
  await using trial = new Trial(withOtherGroup(counting, "trap : TERM; while :; do wait; done"), SESSION);
  const pid = Number(await trial.line());
  using _other = ending(pid);
  await until("both are ready", () => trial.text.stdout.includes("ready"));
  trial.child?.signal("SIGTERM");
  await until("it got the signal", () => trial.text.stdout.includes("got it"));
  // Long enough for a second one.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(trial.text.stdout.match(/got it/g)?.length, 1);
  trial.child?.signal("SIGKILL");
  await trial.emptied();
  await until("it is reaped", () => !isAlive(pid));
});

Deno.test("Child.signal() continues stopped processes of the session in other groups", async () => {
  await using trial = new Trial(withOtherGroup("sleep 300", "kill -STOP %1; wait"), SESSION);
  const pid = Number(await trial.line());
  using _other = ending(pid);
  trial.child?.signal("SIGTERM");
  await trial.emptied();
  await until("it is reaped", () => !isAlive(pid));
});

Deno.test("spawnChild() reports an empty session when its last process has exited, whatever its group", async () => {
  await using trial = new Trial(withOtherGroup("sleep 300", "exit 3"), SESSION);
  const pid = Number(await trial.line());
  using _other = ending(pid);
  await until("the leader's exit is reported", () => trial.events.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(trial.events, ["leader-exited: exit code 3"]);
  Deno.kill(pid, "SIGKILL");
  await trial.emptied();
  assertEquals(trial.events, ["leader-exited: exit code 3", "group-exited"]);
});

Deno.test("Child.signal() kills what a session still starts", async () => {
  const restless = "while :; do setsid -w true; sleep 0.01 & done";
  await using trial = new Trial(withOtherGroup(`bash -c '${restless}'`, "wait"), SESSION);
  const pid = Number(await trial.line());
  using _other = ending(pid);
  trial.child?.signal("SIGKILL");
  await trial.emptied();
  await until("it is reaped", () => !isAlive(pid));
});

Deno.test("spawnChild() does not wait for zombies in a session after SIGKILL", async () => {
  const zombie = "(sleep 0.01 & exec setsid sh -c 'echo $$; exec sleep 300 > /dev/null 2>&1') & read -r line; exit 0";
  await using trial = new Trial(["sh", "-c", zombie], SESSION);
  const pid = Number(await trial.line());
  using _parent = ending(pid);
  trial.child?.signal("SIGKILL");
  await trial.emptied();
  assert(isAlive(pid), "it left the session");
});

Deno.test("SessionScope is not empty before a second scan finds the same zombies, while its group exists", async () => {
  const leader = new Deno.Command("sh", { args: ["-c", "sleep 300 >&2 & echo $!"], detached: true, stdout: "piped" })
    .spawn();
  const { pid } = leader;
  using _member = ending(Number(new TextDecoder().decode((await leader.output()).stdout)));
  const zombie = { parent: 1, group: pid, session: pid, hasEnded: true };
  const infoOf = (key: string) => {
    const [pid, start] = key.split(" ");
    return { ...zombie, pid: Number(pid), start: start! };
  };
  // In the last two scans, pid 9 belongs to another process.
  const keys = [["7 1"], ["8 1"], ["8 1", "9 1"], ["8 1", "9 1"], ["9 1"], ["9 2"], ["9 2"]];
  const scans = keys.map((keys) => keys.map(infoOf));
  let oldZombies = new Set<string>();
  const next = () => {
    const processes = scans.shift()!;
    const scan = { processes, isExact: true, oldZombies };
    oldZombies = zombiesIn(processes);
    return Promise.resolve(scan);
  };
  const scope = new SessionScope({ pid, hasExited: true, kill: () => {} }, { next }, () => {});
  const seen = [];
  while (scans.length > 0) seen.push(await scope.isEmpty());
  assertEquals(seen, [false, false, false, true, true, false, true]);
});

Deno.test("ProcessScans tells which zombies an earlier scan found", async () => {
  await using trial = new Trial(["sh", "-c", "sleep 0 & echo $!; exec sleep 300"]);
  const zombie = Number(await trial.line());
  await inState(zombie, "Z");
  const scans = new ProcessScans(denoClock);
  const [first, second] = [await scans.next(), await scans.next()];
  const infos = [first, second].map(({ processes }) => processes.find(({ pid }) => pid === zombie)!);
  assertEquals(infos.map(({ hasEnded }) => hasEnded), [true, true]);
  const key = keyOf(infos[0]!);
  assertEquals([first, second].map(({ oldZombies }) => oldZombies.has(key)), [false, true]);
});

Deno.test("SessionScope leaves alone the program that has the leader's pid by now, also if the scan missed others", async () => {
  const other = new Deno.Command("sleep", { args: ["300"], detached: true }).spawn();
  using _other = ending(other.pid);
  const info = { pid: other.pid, parent: 1, group: other.pid, session: other.pid, hasEnded: false, start: "1" };
  const scans = { next: () => Promise.resolve({ processes: [info], isExact: false, oldZombies: new Set<string>() }) };
  const scope = new SessionScope({ pid: other.pid, hasExited: true, kill: () => {} }, scans, () => {});
  assertEquals(await scope.isEmpty(), true);
  await scope.signal("SIGKILL");
  assert(isAlive(other.pid), "it was not signaled");
  Deno.kill(other.pid, "SIGKILL");
  await other.status;
});
