import {
  CommandCgroup,
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

/** The signals that a terminal sends to a background process group that tries to use it. */
const BACKGROUND = ["SIGTTIN", "SIGTTOU"].map(signalNumber);

/**
 * Runs a command as PID 1 of a container, or as a subreaper.
 *
 * The program executes itself again, with the signals that it passes on blocked. So call this before anything else.
 *
 * @param warn Reports what the reaper cannot do.
 * @returns The exit code of the command, 128 + n if signal n killed it, or the code that replaces this one.
 * @throws {ExitError} If the command cannot be started: with 127 if it does not exist, else 126.
 * @throws {Error} If `--allow-run` or `--allow-ffi` is missing, or the C library cannot be opened.
 */
export async function runReaper({ args, grace, killAfter, group, exitCodes }: Options, warn: Warn): Promise<number> {
  requireRun();
  let reaper: Reaper | null = null;
  const libc = new Libc();
  const taken = blockSignals(libc);
  const take = (number: number, isFromKernel: boolean) => {
    if (isFromKernel && isLimit(number)) {
      // Over a limit of CPU time, the kernel sends SIGKILL sooner or later. Stop the command in order before that.
      if (number === XCPU) reaper?.pass(TERM);
      return;
    }
    // The terminal sends these to a whole process group, in the foreground or background, so the command got them too.
    if (isFromKernel && !group && (libc.hasTerminal() || BACKGROUND.includes(number))) return;
    reaper?.pass(number);
  };
  // Signals arrive here if they cannot be blocked, and at the moment when the command is started.
  const named = taken.numbers.map(signalName).filter((signal) => signal !== undefined);
  using _taking = listenToSignals(named, (signal) => take(signalNumber(signal), isLimit(signalNumber(signal))));
  if (libc.getpid() !== 1) libc.becomeSubreaper();
  using _children = listenToSignals(["SIGCHLD"], () => reaper?.wake());
  // As PID 1, kill(-1) reaches everything at once.
  const cgroup = libc.getpid() === 1 ? null : CommandCgroup.enter();
  using _leaving = { [Symbol.dispose]: () => cgroup?.close() };
  const command = asInherited(libc, taken, () => startForeground(args, group));
  if ("reason" in command) {
    throw new ExitError(`cannot run ${JSON.stringify(args[0])}: ${command.reason}`, command.code);
  }
  reaper = new Reaper({
    libc,
    clock: denoClock,
    command,
    cgroup,
    toGroup: group,
    killAfterMs: killAfter * 1000,
    graceMs: grace * 1000,
    warn,
  });
  if (taken.areBlocked) readSignals(libc, taken, take);
  const code = exitCodeOf(await reaper.run());
  return exitCodes.get(code) ?? code;
}
