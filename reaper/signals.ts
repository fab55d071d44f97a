import { type Signal, signalNumber } from "@ncolony/host";
import { type Libc, maskOf } from "./libc.ts";

/** The signals that the kernel sends at limits of CPU time and file size. */
const LIMITS: readonly Signal[] = ["SIGXCPU", "SIGXFSZ"];

/** The named signals that are passed to the command: all but fault signals, SIGKILL, SIGSTOP, SIGCHLD and SIGPIPE. */
const NAMED: readonly Signal[] = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGCONT",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGIO",
  "SIGURG",
  "SIGPWR",
  "SIGSTKFLT",
  ...LIMITS,
];

/** The last real-time signal. Real-time signals have numbers only, and the C library uses the first ones itself. */
const RTMAX = 64;

/** The signals that Rust handles to report a stack overflow. */
const FAULTS = ["SIGSEGV", "SIGBUS"].map(signalNumber);

const NONE = maskOf([]);

/** Returns whether the kernel sends a signal at a limit. */
export function isLimit(number: number): boolean {
  return LIMITS.some((signal) => signalNumber(signal) === number);
}

/** The signals that the reaper takes. */
export interface Taken {
  /** The signals that are passed to the command, except signals that were ignored at the start: it ignores them too. */
  readonly numbers: readonly number[];
  /** The signals that were ignored at the start. */
  readonly ignored: readonly number[];
  /** Whether every thread blocks them, so that the kernel reports who sent them. */
  readonly areBlocked: boolean;
}

/**
 * Blocks the signals that are passed on, in every thread. Then Deno does not open its inspector on SIGUSR1, the kernel
 * reports who sent a signal, and no signal of another process kills the reaper as PID 1.
 *
 * All threads block the signals only if the program starts that way, so it executes itself again with the signals
 * blocked. Call this first: Deno as PID 1 crashes on a SIGTERM, SIGINT or SIGHUP that arrives between its first signal
 * listener and the listener for that signal, unless it is blocked. Before the first listener, the kernel drops them.
 *
 * Rust's fault handlers run on a stack of 8 KiB, which has room for two or three signal frames. If SIGSEGV, SIGBUS and
 * one more signal arrive together, the kernel kills the program, PID 1 or not. If SIGSEGV and SIGBUS are ignored at the
 * start, Rust installs no handlers and no such stack. Then PID 1 has no handlers for them, like any init, and the
 * kernel drops the signals that other processes send. A fault of the reaper itself still kills it.
 *
 * Without /proc, the program cannot execute itself, and the signals stay unblocked.
 */
export function blockSignals(libc: Libc): Taken {
  const first = libc.firstRealTime();
  const passed = [
    ...NAMED.map(signalNumber),
    ...Array.from({ length: RTMAX + 1 - first }, (_, index) => first + index),
  ];
  const ignored = passed.filter((number) => libc.isIgnored(number));
  const numbers = passed.filter((number) => !ignored.includes(number));
  const mask = maskOf(numbers);
  const before = libc.setMask(mask);
  // musl reserves some signals, and qemu has fewer. Do not require signals that cannot be blocked.
  const reached = libc.setMask(mask)[0]!;
  const areBlocked = (before[0]! & reached) === reached;
  if (!areBlocked) {
    const words = libc.readFile("/proc/self/cmdline")?.split("\0").slice(0, -1);
    libc.setAction(FAULTS, "ignore");
    if (words !== undefined) libc.exec("/proc/self/exe", words);
    libc.setMask(before);
  }
  // The command must not start with fault signals ignored.
  libc.setAction(FAULTS, "default");
  return { numbers, ignored, areBlocked };
}

/**
 * Runs an action that starts a child. Meanwhile no signal is blocked, and the signals that were ignored at the start
 * are ignored again, because the child inherits both.
 *
 * After 500 ms, Deno starts to listen for SIGUSR1, to open its inspector, as soon as its event loop is free. So call
 * this before anything is awaited.
 */
export function asInherited<T>(libc: Libc, { ignored }: Taken, action: () => T): T {
  const before = libc.setMask(NONE);
  // Deno listens for some signals itself.
  libc.setAction(ignored, "ignore");
  try {
    return action();
  } finally {
    libc.setMask(before);
  }
}

/** Reports blocked signals. `isFromKernel`: the signal is for a limit, or from the terminal to a process group. */
export async function readSignals(
  libc: Libc,
  { numbers }: Taken,
  onSignal: (number: number, isFromKernel: boolean) => void,
): Promise<never> {
  const descriptor = libc.openSignals(maskOf(numbers));
  for (;;) {
    const { number, isFromKernel } = await libc.nextSignal(descriptor);
    onSignal(number, isFromKernel);
  }
}
