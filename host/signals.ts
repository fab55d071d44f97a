import type { Exit } from "@ncolony/core";
// Deno itself does not tell the numbers of signals.
import { constants } from "node:os";

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

/** The number of a signal on this system, of `signal 35` also; 0 where it has none of that name. */
export function signalNumber(signal: string): number {
  return Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ??
    Number(/^signal (\d+)$/.exec(signal)?.[1] ?? 0);
}

/** The name of a signal on this system. */
export function signalName(number: number): Signal | undefined {
  return Object.entries(constants.signals).find(([, its]) => its === number)?.[0] as Signal | undefined;
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
