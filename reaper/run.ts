import {
  denoClock,
  exitCodeOf,
  ExitError,
  listenToSignals,
  requireRun,
  type Signal,
  startForeground,
} from "@ncolony/host";
import { Libc } from "./libc.ts";
import type { Options } from "./options.ts";
import { Reaper } from "./reaper.ts";
import { BLOCKED, blockSignals, isPassed, tellSignals, withoutMask } from "./signals.ts";

/**
 * Runs a command as the root of all its descendants: PID 1 of a container, or a subreaper.
 *
 * This program executes itself once more, with the signals that are passed on blocked; so nothing should have been done
 * before.
 *
 * @returns The exit code of the command, 128 + n where signal n ended it.
 * @throws {ExitError} Where the command cannot be started: with 127 where it is not there, else 126.
 * @throws {Error} Without the C library, or `--allow-ffi`.
 */
export async function runReaper({ args, grace, killAfter, group }: Options): Promise<number> {
  requireRun();
  let reaper: Reaper | null = null;
  const libc = new Libc();
  const areBlocked = blockSignals(libc);
  const take = (signal: Signal, isFromKernel = false) => {
    // Beyond a limit of CPU time the kernel sends SIGKILL sooner or later, and that would end nobody in order.
    if (signal === "SIGXCPU" && isFromKernel) reaper?.pass("SIGTERM");
    if (!isPassed(signal)) return;
    // What the terminal sends to its whole foreground group, the command has got as well.
    if (!(isFromKernel && !group && libc.hasTerminal())) reaper?.pass(signal);
  };
  // They come here where they cannot be blocked, and in the moment in which the command is started.
  using _taking = listenToSignals(BLOCKED, (signal) => take(signal));
  if (libc.getpid() !== 1) libc.becomeSubreaper();
  using _children = listenToSignals(["SIGCHLD"], () => reaper?.wake());
  const command = withoutMask(libc, () => startForeground(args, group));
  if ("reason" in command) {
    throw new ExitError(`cannot run ${JSON.stringify(args[0])}: ${command.reason}`, command.code);
  }
  reaper = new Reaper({
    libc,
    clock: denoClock,
    command,
    toGroup: group,
    killAfterMs: killAfter * 1000,
    graceMs: grace * 1000,
  });
  if (areBlocked) tellSignals(libc, take);
  return exitCodeOf(await reaper.run());
}
