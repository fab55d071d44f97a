import type { Libc } from "./libc.ts";

/** Waits for the orphans that the reaper adopted, which nothing else waits for. */
export class Orphans {
  readonly #libc: Libc;
  /** The pid of the child that Deno itself waits for. */
  readonly #own: number;

  /** Creates an instance that leaves Deno's own child alone. */
  constructor(libc: Libc, own: number) {
    this.#libc = libc;
    this.#own = own;
  }

  /**
   * Waits for all orphans that have exited.
   *
   * @param isOwnGone Whether Deno has reported the exit of its own child. After that, its pid may be another process's.
   * @returns `none`: no child is left. `alive`: the children that are left are running. `own`: Deno's own child has
   * exited, and hides children that exited after it.
   */
  reap(isOwnGone: boolean): "none" | "alive" | "own" {
    for (;;) {
      const pid = this.#libc.peekEnded();
      if (pid === null) return "none";
      if (pid === 0) return "alive";
      // Deno takes its status, in a moment.
      if (pid === this.#own && !isOwnGone) return "own";
      this.#libc.reap(pid);
    }
  }
}
