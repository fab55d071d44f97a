/** The length at which a name is cut, in characters. */
const MAX_NAME = 100;

/** How much of the beginning and the end of another long text is shown, in characters. */
const [MAX_BEGINNING, MAX_END] = [300, 200];

/**
 * Shortens a name for a log line: cuts it at 100 characters, and adds `…`. Use it for names of processes, and for other
 * words from a config or a message, which can be very long.
 *
 * @example
 * ```ts
 * import { shownName } from "@ncolony/core";
 *
 * if (shownName("a".repeat(101)) !== `${"a".repeat(100)}…`) throw new Error("unexpected");
 * ```
 */
export function shownName(name: string): string {
  if (name.length <= MAX_NAME) return name;
  // 100 characters have at most 200 UTF-16 units, so the slice splits none of them.
  const characters = [...name.slice(0, 2 * MAX_NAME + 2)];
  return characters.length <= MAX_NAME ? name : `${characters.slice(0, MAX_NAME).join("")}…`;
}

/** Shortens a name like {@linkcode shownName}, and quotes it. */
export function quotedName(name: string): string {
  return JSON.stringify(shownName(name));
}

/** Shortens a path, or a reason from the system, for a log line: replaces the middle of a long text by `…`. */
export function shownText(text: string): string {
  if (text.length <= MAX_BEGINNING + MAX_END) return text;
  const characters = [...text];
  if (characters.length <= MAX_BEGINNING + MAX_END) return text;
  return `${characters.slice(0, MAX_BEGINNING).join("")}…${characters.slice(-MAX_END).join("")}`;
}
