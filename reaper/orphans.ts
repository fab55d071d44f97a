import type { Libc } from "./libc.ts";

/** Waits for children that nobody else waits for: those that this program adopted. */
export class Orphans {
  readonly #libc: Libc;
  /** The child that Deno itself waits for. */
  readonly #own: number;

  /** Makes one that leaves a child of Deno's alone. */
  constructor(libc: Libc, own: number) {
    this.#libc = libc;
    this.#own = own;
  }

  /**
   * Waits for all that have ended by now.
   *
   * @param isOwnGone Whether Deno has told the end of its own child: its pid may be somebody else's from then on.
   * @returns `none`: no child is left; `alive`: some are, and live; `own`: Deno's own has ended, and hides who ended after it.
   */
  reap(isOwnGone: boolean): "none" | "alive" | "own" {
    for (;;) {
      const pid = this.#libc.peekEnded();
      if (pid === null) return "none";
      if (pid === 0) return "alive";
      // Its status is Deno's to take, which happens in a moment.
      if (pid === this.#own && !isOwnGone) return "own";
      this.#libc.reap(pid);
    }
  }
}
