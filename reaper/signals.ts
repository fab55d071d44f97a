import { type Signal, signalName, signalNumber } from "@ncolony/host";
import { type Libc, maskOf } from "./libc.ts";

/** The signals that are passed to the command. */
export const PASSED = [
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
] as const satisfies readonly Signal[];

const MASK = maskOf(PASSED.map(signalNumber));
const NONE = maskOf([]);

/**
 * Sees that no thread of this program takes the signals that are passed on, so that Deno does not open its inspector on
 * SIGUSR1, and the kernel can tell who sent them.
 *
 * Only a thread that began so can be sure of that, so this program executes itself once more with the signals blocked.
 * That is to be its first act: Deno as PID 1 crashes on a SIGTERM, SIGINT or SIGHUP that comes between its first signal
 * listener and the one for that signal, unless it is blocked; before its first listener the kernel drops them.
 *
 * @returns False where that cannot be done, for want of /proc.
 */
export function blockSignals(libc: Libc): boolean {
  const before = libc.setMask(MASK);
  if ((before[0]! & MASK[0]!) === MASK[0]!) return true;
  const words = libc.readFile("/proc/self/cmdline")?.split("\0").slice(0, -1);
  if (words !== undefined) libc.exec("/proc/self/exe", words);
  libc.setMask(before);
  return false;
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

/** Tells of blocked signals as they come. `isFromKernel`: the terminal sent it to its whole foreground group. */
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
