/** The kernel's files of cgroups, played by files in an ordinary directory. */

import { assertEquals, assertMatch } from "@std/assert";
import { Cgroup } from "../../host/scopes/cgroup.ts";
import { Controllers } from "../../host/scopes/controllers.ts";
import { tempDir } from "../helpers.ts";

Deno.test("Cgroup.pids() leaves out processes of other pid namespaces, which the kernel lists as 0", () => {
  using dir = tempDir();
  dir.write("cgroup.procs", "4711\n0\n");
  dir.dir("below");
  dir.write("below/cgroup.procs", "0\n0\n4712\n");
  assertEquals(new Cgroup(dir.path).pids(), [4711, 4712]);
});

Deno.test("Controllers.enable() succeeds as soon as the kernel offers the controller", () => {
  using dir = tempDir();
  dir.write("cgroup.controllers", "cpu\n");
  dir.write("cgroup.subtree_control", "");
  const controllers = new Controllers([new Cgroup(dir.path)]);
  assertMatch(controllers.enable("pids") ?? "", /^the pids controller is not available in /);
  assertEquals(controllers.isEnabled("pids"), false);
  dir.write("cgroup.controllers", "cpu pids\n");
  assertEquals([controllers.enable("pids"), controllers.isEnabled("pids")], [null, true]);
  assertEquals(Deno.readTextFileSync(dir.file("cgroup.subtree_control")), "+pids");
});
