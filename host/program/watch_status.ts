import { denoClock } from "../clock.ts";
import { Waker } from "../waker.ts";

/** The least time between two pictures, and the longest, in milliseconds. */
const [MIN_MS, MAX_MS] = [100, 1000];

/** Moves to the beginning of the terminal, and clears it. What was scrolled out of it stays. */
const CLEAR = "\x1b[H\x1b[2J";

/** A text to show, and what it is about. */
export interface Picture {
  /** The text. */
  readonly text: string;
  /** The facts that it shows, without what time alone changes. */
  readonly facts: string;
}

/**
 * Shows a text again whenever something in a directory changes, and every second, until the program is ended or nobody reads it. On a
 * terminal, each text replaces the one before. Elsewhere, a text is shown only if its facts differ.
 *
 * @param path The directory.
 * @param draw Returns what to show. If it throws, the promise rejects.
 */
export async function watchStatus(path: string, draw: () => Picture): Promise<void> {
  const waker = new Waker(denoClock);
  using watcher = Deno.watchFs(path, { recursive: false });
  (async () => {
    for await (const _ of watcher) waker.wake();
  })().catch(() => {});
  const isTerminal = Deno.stdout.isTerminal();
  let last: string | null = null;
  for (;;) {
    const { text, facts } = draw();
    const before = isTerminal ? CLEAR : last === null ? "" : "\n";
    if ((isTerminal || facts !== last) && !await printAll(`${before}${text}\n`)) return;
    last = facts;
    const shownAt = denoClock.now();
    await waker.wait(shownAt + MAX_MS);
    const pause = shownAt + MIN_MS - denoClock.now();
    if (pause > 0) await new Promise<void>((resolve) => denoClock.after(pause, resolve));
  }
}

/** Writes a text, or bytes, to stdout. Resolves with whether somebody still reads them. */
export async function printAll(text: string | Uint8Array): Promise<boolean> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  try {
    for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}
