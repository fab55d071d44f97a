import { fileNameFault, isIgnored, UsageError } from "@ncolony/core";
import { isFileIn, mayRead, namesIn } from "@ncolony/host/tool";
import { noSuchProcess } from "./unknown.ts";

/**
 * Checks that there is a config of each name. If this program may not read the config directory, or there is none,
 * nothing is checked.
 *
 * @throws {UsageError} If a name is invalid.
 * @throws {ExitError} With 4 if there is none. It names the nearest one.
 */
export function requireExisting(config: string, names: readonly string[]): void {
  for (const name of names) {
    const fault = fileNameFault(name);
    if (fault !== null) throw new UsageError(`Cannot name a process ${JSON.stringify(name)}: ${fault}`);
  }
  if (!mayRead(config)) return;
  const missing = names.find((name) => !isFileIn(config, name));
  if (missing === undefined) return;
  const known = namesIn(config);
  if (known !== null) throw noSuchProcess(missing, known.filter((name) => !isIgnored(name)));
}
