/**
 * Listens to signals.
 *
 * As PID 1 an unhandled SIGTERM, SIGINT or SIGHUP crashes Deno (2.9.2 and later), so this is a program's first act.
 *
 * @returns What ends the listening.
 */
export function listenToSignals(signals: readonly Deno.Signal[], handler: (signal: Deno.Signal) => void): Disposable {
  const listeners = signals.map((signal) => ({ signal, listener: () => handler(signal) }));
  for (const { signal, listener } of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]: () => {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
