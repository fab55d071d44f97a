import type { ParsedArgs } from "@ncolony/host/tool";
import { changeEach } from "../change_each.ts";
import { stop } from "../edit.ts";
import { someNames } from "../operands.ts";

/** Stops processes, and keeps their configs: `stop NAME…`. Returns the exit code. */
export async function run(args: ParsedArgs): Promise<number> {
  return await changeEach(args, someNames(args), stop, "untilGone");
}
