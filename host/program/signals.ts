import type { Exit } from "@ncolony/core";

/** The name of a signal. */
export type Signal = Deno.Signal;

/**
 * Listens to signals.
 *
 * An unhandled SIGTERM, SIGINT or SIGHUP crashes Deno as PID 1 (2.9.2 and later), so a program does this first.
 *
 * @returns A handle. When it is disposed of, the listening ends.
 */
export function listenToSignals(signals: readonly Signal[], handler: (signal: Signal) => void): Disposable {
  const listeners = signals.map((signal) => ({ signal, listener: () => handler(signal) }));
  for (const { signal, listener } of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]: () => {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}

/** The signals that ask a program to stop. */
export const STOPPING: readonly Signal[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];

/**
 * Signals that would end a program without a request to stop, and orphan its children: all that Deno can listen to,
 * except SIGBUS, which would come again and again if the program itself caused it. Deno cannot listen to real-time
 * signals.
 */
const STRAY: readonly Signal[] = [
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGXFSZ",
  "SIGIO",
  "SIGTRAP",
  "SIGABRT",
  "SIGSYS",
  ...(Deno.build.os === "linux" ? ["SIGPWR", "SIGSTKFLT"] as const : []),
];

/** Lets this program survive signals that it has no use for. Its children start with the default actions. */
export function outliveStraySignals(): void {
  for (const signal of STRAY) Deno.addSignalListener(signal, ignore);
}

/**
 * Lets this program survive a file size limit (`ulimit -f`): a write beyond it fails, as on a full disk, and SIGXFSZ
 * does not end the program. Its children start with the default action. This is never undone, because Deno may see the
 * signal later than the write.
 */
export function outliveFileSizeLimit(): void {
  Deno.addSignalListener("SIGXFSZ", ignore);
}

function ignore(): void {}

/** The names of signals, by their numbers on this system. `node:os` has them too, but takes 5 ms to load. */
const NAMES: Readonly<Record<number, string>> = {
  ...numbered(1, "HUP INT QUIT ILL TRAP ABRT"),
  ...numbered(8, "FPE KILL"),
  ...numbered(11, "SEGV"),
  ...numbered(13, "PIPE ALRM TERM"),
  ...(Deno.build.os === "linux"
    ? {
      ...numbered(7, "BUS"),
      ...numbered(10, "USR1"),
      ...numbered(12, "USR2"),
      ...numbered(16, "STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"),
    }
    : {
      ...numbered(10, "BUS"),
      ...numbered(12, "SYS"),
      ...numbered(16, "URG STOP TSTP CONT CHLD TTIN TTOU IO XCPU XFSZ VTALRM PROF WINCH INFO USR1 USR2"),
    }),
};

/** Returns the number of a signal on this system, also of `signal 35`. Returns 0 if the name is unknown. */
export function signalNumber(signal: string): number {
  const number = Object.entries(NAMES).find(([, name]) => name === signal)?.[0] ?? /^signal (\d+)$/.exec(signal)?.[1];
  return Number(number ?? 0);
}

/** Returns the name of a signal on this system, or undefined. */
export function signalName(number: number): Signal | undefined {
  return NAMES[number] as Signal | undefined;
}

/** Returns the exit code of a shell for an exit: the code, 128 + n for signal n, 127 if the command did not start, 1 if unknown. */
export function exitCodeOf(exit: Exit): number {
  switch (exit.type) {
    case "code":
      return exit.code;
    case "signal":
      return 128 + signalNumber(exit.signal);
    case "failed":
      return 127;
    case "unknown":
      return 1;
  }
}

function numbered(first: number, names: string): Record<number, string> {
  return Object.fromEntries(names.split(" ").map((name, index) => [first + index, `SIG${name}`]));
}
