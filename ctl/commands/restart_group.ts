import { mayList, type ParsedArgs } from "@ncolony/host/tool";
import { restartGroup } from "../ctl.ts";
import { membersOf } from "../members.ts";
import { exactly } from "../operands.ts";
import { ORIGIN, requestOf } from "../request.ts";
import { restartMany } from "../restart_many.ts";

/**
 * Restarts every process of a group: `restart-group GROUP`.
 *
 * @returns The exit code.
 * @throws {ExitError} With 4 if no process is in the group, unless it is forced or the configs may not be read.
 */
export async function run(args: ParsedArgs): Promise<number> {
  const [group] = exactly(args, "GROUP");
  const request = requestOf(args);
  const { places, wait } = request;
  const isChecked = wait !== null || !args.flags.has("force") && mayList(places.config);
  const members = isChecked ? membersOf(places.config, group) : null;
  return await restartMany(request, () => restartGroup(places, group, ORIGIN), (name) => members?.has(name) ?? false);
}
