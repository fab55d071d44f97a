import { assert, assertEquals } from "@std/assert";
import { ShellView } from "../../host/scopes/proc_view.ts";
import { until } from "../helpers.ts";
import { inState, Trial } from "./children.ts";

/** Returns what cat(1) shows of a file in /proc, which this program may not read itself. */
async function shown(path: string): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${path}`] }).output();
  return new TextDecoder().decode(stdout).trim();
}

function view(): ShellView {
  let now = 0;
  // The clock jumps, so that each question reads /proc again.
  return new ShellView(() => now += 1000);
}

Deno.test("ShellView sees the boot, start, group and environment of a process", async () => {
  const child = new Deno.Command("sh", {
    args: ["-c", "sleep 300 & wait"],
    env: { NCOLONY_NAME: "web" },
    detached: true,
  }).spawn();
  try {
    const { pid } = child;
    await until("it has a child", () => view().membersOf("group", pid).length === 2);
    assertEquals(view().bootId(), await shown("sys/kernel/random/boot_id"));
    assertEquals(view().startOf(pid), (await shown(`${pid}/stat`)).split(" ")[21]);
    assertEquals([view().hasEnded(pid), view().variableOf(pid, "NCOLONY_NAME")], [false, "web"]);
    assertEquals(view().variableOf(pid, "NCOLONY_NAM"), undefined);
    const [member] = view().membersOf("group", pid).filter((member) => member !== pid);
    assertEquals(view().variableOf(member!, "NCOLONY_NAME"), "web");
  } finally {
    Deno.kill(-child.pid, "SIGKILL");
    await child.status;
  }
  assertEquals([view().startOf(child.pid), view().hasEnded(child.pid)], [null, true]);
  assert(
    view().membersOf("group", child.pid).every((member) => view().hasEnded(member)),
    "who is left is not reaped yet",
  );
  assertEquals(view().variableOf(child.pid, "NCOLONY_NAME"), undefined);
});

Deno.test("ShellView is not misled by the name of a command", async () => {
  await using trial = new Trial([
    "sh",
    "-c",
    'printf %s "$1" >"/proc/$$/comm"; echo ready; read -r line',
    "sh",
    "x) Z 1\n2 (y",
  ]);
  await trial.line();
  assertEquals([view().hasEnded(trial.pid), view().membersOf("group", trial.pid)], [false, [trial.pid]]);
  assertEquals(view().startOf(2) === view().startOf(trial.pid), false);
});

Deno.test("ShellView recognizes a zombie", async () => {
  await using trial = new Trial(["sh", "-c", "sleep 0 & echo $!; exec sleep 300"]);
  const zombie = Number(await trial.line());
  await inState(zombie, "Z");
  assertEquals([view().hasEnded(zombie), view().hasEnded(trial.pid)], [true, false]);
});

Deno.test("ShellView tells which zombies the scan before found, and scans again once it is told to forget", async () => {
  await using trial = new Trial(["sh", "-c", "sleep 0 & echo $!; exec sleep 300"]);
  const zombie = Number(await trial.line());
  await inState(zombie, "Z");
  // Its clock stands still, so a scan stays fresh.
  const view = new ShellView(() => 0);
  const look = () => [view.membersOf("group", trial.pid).includes(zombie), view.wasZombie(zombie)];
  assertEquals([look(), look()], [[true, false], [true, false]]);
  view.forget();
  assertEquals(look(), [true, true]);
  // A process that is alive is not one of them.
  assertEquals(view.wasZombie(trial.pid), false);
});
