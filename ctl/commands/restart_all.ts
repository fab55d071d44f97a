import type { ParsedArgs } from "@ncolony/host/tool";
import { restartAll } from "../ctl.ts";
import { exactly } from "../operands.ts";
import { ORIGIN, requestOf } from "../request.ts";
import { restartMany } from "../restart_many.ts";

/** Restarts every process: `restart-all`. Returns the exit code. */
export async function run(args: ParsedArgs): Promise<number> {
  exactly(args);
  const request = requestOf(args);
  return await restartMany(request, () => restartAll(request.places, ORIGIN));
}
