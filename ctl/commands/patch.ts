import { parseObject, UsageError } from "@ncolony/core";
import type { ParsedArgs } from "@ncolony/host/tool";
import { changeEach } from "../change_each.ts";
import { patch } from "../edit.ts";
import { exactly } from "../operands.ts";

/** Changes keys of a config: `patch NAME JSON`. Returns the exit code. */
export async function run(args: ParsedArgs): Promise<number> {
  const [name, json] = exactly(args, "NAME", "JSON object");
  const parse = () => parseObject(json, (reason) => new UsageError(`Cannot use the patch: ${reason}`));
  return await changeEach(args, [name], (places) => patch(places, name, parse()), "untilRunning");
}
