import type { ParsedArgs } from "@ncolony/host/tool";
import { changeEach } from "../change_each.ts";
import { remove } from "../ctl.ts";
import { someNames } from "../operands.ts";

/** Removes processes: `remove NAME…`. Returns the exit code. */
export async function run(args: ParsedArgs): Promise<number> {
  return await changeEach(args, someNames(args), remove, "untilGone");
}
