import { type Signal, signalName, signalNumber } from "@ncolony/host";
import { type Libc, maskOf } from "./libc.ts";

/** The signals that are passed to the command. */
const PASSED: readonly Signal[] = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGALRM",
  "SIGCONT",
  "SIGTSTP",
];

/** Whether a signal is passed to the command. */
export function isPassed(signal: Signal): boolean {
  return PASSED.includes(signal);
}

/** The signals that no thread takes: those, and the ones by which the kernel tells of limits of CPU time and file size. */
export const BLOCKED: readonly Signal[] = [...PASSED, "SIGXCPU", "SIGXFSZ"];

/** Those that Rust has handlers for, to tell of a stack that overflowed. */
const FAULTS = ["SIGSEGV", "SIGBUS"].map(signalNumber);

const MASK = maskOf(BLOCKED.map(signalNumber));
const NONE = maskOf([]);

/**
 * Sees that no thread of this program takes the signals that are passed on, so that Deno does not open its inspector on
 * SIGUSR1, and the kernel can tell who sent them; and that no signal of another process ends this program as PID 1.
 *
 * Only a thread that began so can be sure of that, so this program executes itself once more with the signals blocked.
 * That is to be its first act: Deno as PID 1 crashes on a SIGTERM, SIGINT or SIGHUP that comes between its first signal
 * listener and the one for that signal, unless it is blocked; before its first listener the kernel drops them.
 *
 * Rust's handlers for faults run on a stack of 8 KiB, where two or three frames of the kernel fit: if SIGSEGV, SIGBUS and
 * one more come together, the kernel ends the program, PID 1 or not. What is ignored at its start Rust leaves alone, and
 * makes no such stack; then PID 1 does without handlers, like any init, and the kernel drops what others send. A fault of
 * its own ends it, whatever is set.
 *
 * @returns False where that cannot be done, for want of /proc.
 */
export function blockSignals(libc: Libc): boolean {
  const before = libc.setMask(MASK);
  const areBlocked = (before[0]! & MASK[0]!) === MASK[0]!;
  if (!areBlocked) {
    const words = libc.readFile("/proc/self/cmdline")?.split("\0").slice(0, -1);
    libc.setAction(FAULTS, "ignore");
    if (words !== undefined) libc.exec("/proc/self/exe", words);
    libc.setMask(before);
  }
  // The command should not begin with any ignored.
  libc.setAction(FAULTS, "default");
  return areBlocked;
}

/**
 * Does something with no signal blocked: a child that is started inherits what is.
 *
 * Deno begins to listen for SIGUSR1, to open its inspector, when it has run for 500 ms and nothing else has its turn; so
 * this is to be done before anything is waited for.
 */
export function withoutMask<T>(libc: Libc, action: () => T): T {
  const before = libc.setMask(NONE);
  try {
    return action();
  } finally {
    libc.setMask(before);
  }
}

/** Tells of blocked signals as they come. `isFromKernel`: it tells of a limit, or the terminal sent it to its whole group. */
export async function tellSignals(
  libc: Libc,
  tell: (signal: Signal, isFromKernel: boolean) => void,
): Promise<never> {
  const descriptor = libc.openSignals(MASK);
  for (;;) {
    const { number, isFromKernel } = await libc.nextSignal(descriptor);
    const signal = signalName(number);
    if (signal !== undefined) tell(signal, isFromKernel);
  }
}
