/** What is known of the life of a process: the time from a start to its exit. */
export type Life =
  /** It is unknown whether the process is running. */
  | { readonly type: "unknown" }
  /** The process is not running. */
  | { readonly type: "down" }
  /** The process has been running since then, in milliseconds of the clock. The time tells one life from the next. */
  | { readonly type: "up"; readonly since: number };

/** The life of a process of which nothing is known. */
export const UNKNOWN_LIFE: Life = { type: "unknown" };

/** Returns whether two lives are the same, without a start in between. */
export function isSameLife(one: Life, other: Life): boolean {
  if (one.type !== "up" || other.type !== "up") return one.type === other.type;
  return one.since === other.since;
}
