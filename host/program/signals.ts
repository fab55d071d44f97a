import type { Exit } from "@ncolony/core";

/** The name of a signal. */
export type Signal = Deno.Signal;

/**
 * Listens to signals.
 *
 * As PID 1 an unhandled SIGTERM, SIGINT or SIGHUP crashes Deno (2.9.2 and later), so this is a program's first act.
 *
 * @returns What ends the listening.
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

/** What asks a program to stop. */
export const STOPPING: readonly Signal[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];

/**
 * What would end a program that nobody asked to stop, and orphan its children: all that Deno can listen to, but SIGBUS, which
 * would come again and again if it were a fault of its own. Real-time signals cannot be listened to.
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

/** Lets this program outlive signals that it does not know what to do with. Its children begin with the default. */
export function outliveStraySignals(): void {
  for (const signal of STRAY) Deno.addSignalListener(signal, ignore);
}

/**
 * Lets this program outlive a file size limit (`ulimit -f`): a write beyond it fails, as one to a full disk does, where
 * SIGXFSZ would end the program. Its children begin with the default again. It is not undone, for Deno may see the signal
 * later than the write.
 */
export function outliveFileSizeLimit(): void {
  Deno.addSignalListener("SIGXFSZ", ignore);
}

function ignore(): void {}

/** What signals are called that have the same number on every Unix, and on this one; `node:os` has them too, but takes 5 ms. */
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

/** The number of a signal on this system, of `signal 35` also; 0 where it has none of that name. */
export function signalNumber(signal: string): number {
  const number = Object.entries(NAMES).find(([, name]) => name === signal)?.[0] ?? /^signal (\d+)$/.exec(signal)?.[1];
  return Number(number ?? 0);
}

/** The name of a signal on this system. */
export function signalName(number: number): Signal | undefined {
  return NAMES[number] as Signal | undefined;
}

/** The exit code that a shell would give for an exit: the code, 128 + n for signal n, 127 where nothing could start. */
export function exitCodeOf(exit: Exit): number {
  switch (exit.type) {
    case "code":
      return exit.code;
    case "signal":
      return 128 + signalNumber(exit.signal);
    case "failed":
      return 127;
  }
}

function numbered(first: number, names: string): Record<number, string> {
  return Object.fromEntries(names.split(" ").map((name, index) => [first + index, `SIG${name}`]));
}
