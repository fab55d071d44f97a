/** Remembers what was said of what, so that a fault is said once, and again only after it was gone. */
export class KnownFaults {
  readonly #faults = new Map<string, string>();

  /** Takes note of a fault of something, or of its end (null); says whether that is news. */
  note(what: string, fault: string | null): boolean {
    const before = this.#faults.get(what) ?? null;
    if (fault === null) this.#faults.delete(what);
    else this.#faults.set(what, fault);
    return before !== fault;
  }
}
