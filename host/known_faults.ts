/** Remembers faults, so that each is logged once, and again only after it was gone. */
export class KnownFaults {
  readonly #faults = new Map<string, string>();

  /** Records the fault of a subject, or that it has none (null). Returns whether that is new. */
  note(what: string, fault: string | null): boolean {
    const before = this.#faults.get(what) ?? null;
    if (fault === null) this.#faults.delete(what);
    else this.#faults.set(what, fault);
    return before !== fault;
  }
}
