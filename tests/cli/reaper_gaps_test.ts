import { assertEquals } from "@std/assert";
import { INIT, Reaped, SUBREAPER, testAs } from "./reaping.ts";

/** Waits until its parent with this pid is gone, prints the pid of its new parent, and exits. */
const TELLS =
  'parent=$1; while [ $parent = $1 ]; do read pid name state parent rest < /proc/$$/stat; done; echo "$parent"';

for (const role of [SUBREAPER, INIT]) {
  testAs(role, "reaper is the parent of an orphan from the moment the orphan's own parent is gone", async () => {
    const script = `sh -c 'sh -c "$0" sh $$ &' "$0"; read it; exit 3`;
    await using reaped = new Reaped(["sh", "-c", script, TELLS], { role });
    const parent = await reaped.numberIn(/^(\d+)$/);
    assertEquals(parent, role === INIT ? 1 : await reaped.pid());
    await reaped.say("end");
    assertEquals([await reaped.ended(), reaped.stderr], [3, []]);
  });
}
