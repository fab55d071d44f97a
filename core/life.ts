/** What is known of the life of a process. */
export type Life =
  /** Nobody tells. */
  | { readonly type: "unknown" }
  /** It does not run. */
  | { readonly type: "down" }
  /** It has run since then, in the clock's milliseconds, which tells one run of it from the next. */
  | { readonly type: "up"; readonly since: number };

/** The life of a process of which nobody tells. */
export const UNKNOWN_LIFE: Life = { type: "unknown" };

/** Whether it is one life, without a start between the two. */
export function isSameLife(one: Life, other: Life): boolean {
  if (one.type !== "up" || other.type !== "up") return one.type === other.type;
  return one.since === other.since;
}
