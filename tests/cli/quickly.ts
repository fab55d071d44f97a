/** A change must last this long to be settled for the monitor, in milliseconds. */
const SETTLE_MS = 100;

/** Repeats `prepare` and `what` until `what` took less time than a file needs to settle, so the result is certain. */
export async function quickly(what: () => void | Promise<void>, prepare: () => void | Promise<void>): Promise<void> {
  for (let round = 0; round < 50; round++) {
    await prepare();
    const start = performance.now();
    await what();
    if (performance.now() - start < SETTLE_MS) return;
  }
  throw new Error(`This machine did not manage it in ${SETTLE_MS} ms`);
}
