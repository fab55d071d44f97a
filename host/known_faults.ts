/** Remembers what was said of what, so that a fault is said once, and again only after it was gone. */
export class KnownFaults {
  readonly #faults = new Map<string, string>();

  /** Whether a fault, or null for the end of one, is news about `what`. */
  note(what: string, fault: string | null): boolean {
    const before = this.#faults.get(what) ?? null;
    if (fault === null) this.#faults.delete(what);
    else this.#faults.set(what, fault);
    return before !== fault;
  }
}
