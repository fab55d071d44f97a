import type { ParsedArgs } from "@ncolony/host/tool";
import { changeEach } from "../change_each.ts";
import { start } from "../edit.ts";
import { someNames } from "../operands.ts";

/** Starts processes that were stopped: `start NAME…`. Returns the exit code. */
export async function run(args: ParsedArgs): Promise<number> {
  return await changeEach(args, someNames(args), start, "untilRunning");
}
