import { type Signal, signalNumber } from "@ncolony/host";
import { type Libc, maskOf } from "./libc.ts";

/** The signals by which the kernel tells of limits of CPU time and file size. */
const LIMITS: readonly Signal[] = ["SIGXCPU", "SIGXFSZ"];

/** The signals that have names and are passed to the command: all but those of faults, and those that no program can take. */
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

/** The last one for real time; these have numbers alone, and the first some are the C library's own. */
const RTMAX = 64;

/** Those that Rust has handlers for, to tell of a stack that overflowed. */
const FAULTS = ["SIGSEGV", "SIGBUS"].map(signalNumber);

const NONE = maskOf([]);

/** Whether a signal of the kernel tells of a limit. */
export function isLimit(number: number): boolean {
  return LIMITS.some((signal) => signalNumber(signal) === number);
}

/** The signals that this program takes. */
export interface Taken {
  /** Their numbers: all that are passed to the command, less those that were ignored at the start, which stay so for it too. */
  readonly numbers: readonly number[];
  /** Those that were ignored. */
  readonly ignored: readonly number[];
  /** Whether no thread takes them, so that the kernel can tell who sent them. */
  readonly areBlocked: boolean;
}

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
 * Without /proc that cannot be done.
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
  // musl keeps some for itself, and qemu has fewer: what cannot be blocked is not waited for.
  const reached = libc.setMask(mask)[0]!;
  const areBlocked = (before[0]! & reached) === reached;
  if (!areBlocked) {
    const words = libc.readFile("/proc/self/cmdline")?.split("\0").slice(0, -1);
    libc.setAction(FAULTS, "ignore");
    if (words !== undefined) libc.exec("/proc/self/exe", words);
    libc.setMask(before);
  }
  // The command should not begin with any ignored.
  libc.setAction(FAULTS, "default");
  return { numbers, ignored, areBlocked };
}

/**
 * Does something with no signal blocked, and those ignored that were: a child that is started inherits both.
 *
 * Deno begins to listen for SIGUSR1, to open its inspector, when it has run for 500 ms and nothing else has its turn; so
 * this is to be done before anything is waited for.
 */
export function asInherited<T>(libc: Libc, { ignored }: Taken, action: () => T): T {
  const before = libc.setMask(NONE);
  // Deno listens to some of its own accord.
  libc.setAction(ignored, "ignore");
  try {
    return action();
  } finally {
    libc.setMask(before);
  }
}

/** Tells of blocked signals as they come. `isFromKernel`: it tells of a limit, or the terminal sent it to its whole group. */
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
