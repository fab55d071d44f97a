/** The length at which names are cut, in characters. */
const MAX_NAME = 100;

/** How much of the beginning and of the end of other long texts is shown, in characters. */
const [MAX_BEGINNING, MAX_END] = [300, 200];

/**
 * Shortens a name for a log line: cuts it at 100 characters, and adds `…`. It is meant for names of processes, and for
 * other words that a config or a message can make as long as itself.
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
  // 100 characters have at most 200 units, so the slice tears none of them.
  const characters = [...name.slice(0, 2 * MAX_NAME + 2)];
  return characters.length <= MAX_NAME ? name : `${characters.slice(0, MAX_NAME).join("")}…`;
}

/** Shortens a name as {@linkcode shownName} does, and puts it in quotes. */
export function quotedName(name: string): string {
  return JSON.stringify(shownName(name));
}

/** Shortens a path, or a reason that the system gives, for a log line: only `…` is left of the middle of a long one. */
export function shownText(text: string): string {
  if (text.length <= MAX_BEGINNING + MAX_END) return text;
  const characters = [...text];
  if (characters.length <= MAX_BEGINNING + MAX_END) return text;
  return `${characters.slice(0, MAX_BEGINNING).join("")}…${characters.slice(-MAX_END).join("")}`;
}
