import { visible } from "@ncolony/core";
import { Spinner } from "@std/cli/unstable-spinner";
import { shortened } from "./shortened.ts";

/** Returns what shows on a terminal of this width that ctl waits for some processes: `waiting for web`. */
export function spinnerFor(names: readonly string[], width: number): Spinner {
  const what = names.length === 1 ? visible(names[0]!) : `${names.length} processes`;
  // The spinner itself and a space take two columns. A message that is wrapped would not be removed.
  return new Spinner({ message: shortened(`waiting for ${what}`, width - 2), color: "yellow" });
}
