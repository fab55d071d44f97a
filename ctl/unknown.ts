import { isWell, quotedName, type View } from "@ncolony/core";
import { ExitError } from "@ncolony/host/tool";
import { nearest } from "@ncolony/host/tool";

/** The exit code if something that should run does not. */
export const NOT_WELL = 3;

/** The exit code for a process, group or monitor that there is not. */
export const NOTHING = 4;

/** Returns the exit code for how processes are: 0 if all are well, 3 if one is not, 4 if there is no monitor. */
export function codeOf(view: View): number {
  return view.isAlive === false ? NOTHING : isWell(view) ? 0 : NOT_WELL;
}

/** Returns the error for a name that no process has: `There is no "wbe": did you mean "web"?` */
export function noSuchProcess(name: string, known: readonly string[]): ExitError {
  const meant = nearest(name, known);
  const hint = meant === null ? "" : `: did you mean ${quotedName(meant)}?`;
  return new ExitError(`There is no ${quotedName(name)}${hint}`, NOTHING);
}
