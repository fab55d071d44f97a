import {
  denoClock,
  exitCodeOf,
  ExitError,
  listenToSignals,
  requireRun,
  signalName,
  signalNumber,
  startForeground,
} from "@ncolony/host";
import { Libc } from "./libc.ts";
import type { Options } from "./options.ts";
import { Reaper, type Warn } from "./reaper.ts";
import { asInherited, blockSignals, isLimit, readSignals } from "./signals.ts";

const [TERM, XCPU] = ["SIGTERM", "SIGXCPU"].map(signalNumber) as [number, number];

/** What a terminal sends to a group in the background that would use it. */
const BACKGROUND = ["SIGTTIN", "SIGTTOU"].map(signalNumber);

/**
 * Runs a command as the root of all its descendants: PID 1 of a container, or a subreaper.
 *
 * This program executes itself once more, with the signals that are passed on blocked; so nothing should have been done
 * before.
 *
 * @param warn Tells a person what it could not do.
 * @returns The exit code of the command, 128 + n where signal n ended it, or what stands for that code.
 * @throws {ExitError} Where the command cannot be started: with 127 where it is not there, else 126.
 * @throws {Error} Without the C library, or `--allow-ffi`.
 */
export async function runReaper({ args, grace, killAfter, group, exitCodes }: Options, warn: Warn): Promise<number> {
  requireRun();
  let reaper: Reaper | null = null;
  const libc = new Libc();
  const taken = blockSignals(libc);
  const take = (number: number, isFromKernel: boolean) => {
    if (isFromKernel && isLimit(number)) {
      // Beyond a limit of CPU time the kernel sends SIGKILL sooner or later, and that would end nobody in order.
      if (number === XCPU) reaper?.pass(TERM);
      return;
    }
    // What the terminal sends to its whole foreground group, or to one in the background, the command has got as well.
    if (isFromKernel && !group && (libc.hasTerminal() || BACKGROUND.includes(number))) return;
    reaper?.pass(number);
  };
  // They come here where they cannot be blocked, and in the moment in which the command is started.
  const named = taken.numbers.map(signalName).filter((signal) => signal !== undefined);
  using _taking = listenToSignals(named, (signal) => take(signalNumber(signal), isLimit(signalNumber(signal))));
  if (libc.getpid() !== 1) libc.becomeSubreaper();
  using _children = listenToSignals(["SIGCHLD"], () => reaper?.wake());
  const command = asInherited(libc, taken, () => startForeground(args, group));
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
    warn,
  });
  if (taken.areBlocked) readSignals(libc, taken, take);
  const code = exitCodeOf(await reaper.run());
  return exitCodes.get(code) ?? code;
}
