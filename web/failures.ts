/** How many wrong tokens a client may send at once. */
const MAX_FAILURES = 20;

/** After this time, in milliseconds, it may send one more. */
export const RECOVERY_MS = 3000;

/** Of how many clients failures are remembered. */
const MAX_CLIENTS = 1000;

/** Counts wrong tokens, so that nobody can try many. */
export class Failures {
  /** Until when the failures of a client count, in the clock's milliseconds. The one that failed last is the last. */
  readonly #until = new Map<string, number>();

  /** Whether a client must wait before it may send another token. `now` is in the clock's milliseconds. */
  isBlocked(client: string, now: number): boolean {
    return (this.#until.get(groupOf(client)) ?? 0) > now + (MAX_FAILURES - 1) * RECOVERY_MS;
  }

  /** Counts a wrong token. */
  note(client: string, now: number): void {
    const group = groupOf(client);
    const until = Math.max(this.#until.get(group) ?? 0, now) + RECOVERY_MS;
    this.#until.delete(group);
    this.#until.set(group, until);
    if (this.#until.size > MAX_CLIENTS) this.#until.delete(this.#until.keys().next().value!);
  }
}

/** Returns the network of an IPv6 address, of which one client has many; or else the address itself. */
function groupOf(client: string): string {
  return client.includes(":") ? client.split(":").slice(0, 4).join(":") : client;
}
