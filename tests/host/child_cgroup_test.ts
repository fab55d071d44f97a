import { assertEquals } from "@std/assert";
import { Cgroup } from "../../host/scopes/cgroup.ts";
import type { Cgroups } from "../../host/scopes/cgroups.ts";
import { ChildCgroup } from "../../host/scopes/child_cgroup.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";

/** What a child cgroup needs of the others: this program has left it, and all controllers are enabled. */
const CGROUPS = {
  controllers: { isEnabled: () => true },
  isExclusive: () => Promise.resolve(true),
} as unknown as Cgroups;

/** Creates a directory with the files of a cgroup. */
function files(): TempDir {
  const dir = tempDir();
  for (const name of ["memory.max", "memory.oom.group", "pids.events"]) dir.write(name, "");
  dir.write("memory.current", "4096\n");
  dir.write("memory.events", "oom_kill 0\n");
  dir.write("cpu.stat", "usage_usec 0\n");
  return dir;
}

Deno.test("ChildCgroup.news() does not count what the kernel killed as a whole, which counts one process twice", async () => {
  using dir = files();
  const child = new ChildCgroup(new Cgroup(dir.path), CGROUPS, { memoryBytes: 1_000_000 }, () => {});
  await until("the limit is set", () => Deno.readTextFileSync(dir.file("memory.max")) !== "");
  assertEquals(Deno.readTextFileSync(dir.file("memory.max")), "1004096");
  assertEquals(Deno.readTextFileSync(dir.file("memory.oom.group")), "1");
  dir.write("memory.events", "oom 1\noom_kill 3\noom_group_kill 1\n");
  assertEquals(child.news(true), ["out of memory: the kernel killed all of its processes"]);
  assertEquals(child.news(true), []);
});

Deno.test("ChildCgroup.news() counts what the kernel killed of a child without a limit", () => {
  using dir = files();
  const child = new ChildCgroup(new Cgroup(dir.path), CGROUPS, {}, () => {});
  for (const [count, news] of [[1, "a process"], [3, "2 processes"]] as const) {
    dir.write("memory.events", `oom_kill ${count}\n`);
    assertEquals(child.news(true), [`out of memory: the kernel killed ${news}`]);
  }
});

Deno.test("ChildCgroup.usage() leaves out what cannot be read for a moment", () => {
  using dir = files();
  // A directory cannot be read like a file, as if no file descriptor were left.
  dir.dir("cgroup.procs");
  const child = new ChildCgroup(new Cgroup(dir.path), CGROUPS, {}, () => {});
  dir.write("cpu.stat", "usage_usec 1500000\n");
  assertEquals(child.usage(), { cpuSeconds: 1.5, memoryBytes: 0, processes: 0 });
});
