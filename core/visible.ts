/** Most texts match this pattern and need no other. */
const PLAIN = /^[ -~]*$/;

/**
 * Characters that act on a terminal or cannot be seen: control and format characters, including direction marks; line
 * and paragraph separators; and characters that Unicode displays as nothing. V8 takes 2 ms to compile the pattern, so
 * it is compiled when a text first needs it: most programs start without it.
 */
const HIDDEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`;

let hidden: RegExp | undefined;

/** A lone surrogate. It is not part of the pattern above, because that would take twice as long to match. */
const LONE = /[\ud800-\udfff]/gu;

/**
 * Makes a text safe to show on one line. Escapes characters that could move the cursor, begin a line or change the
 * direction of writing, and invisible ones, as `\u001b`, or `\u{e0001}` beyond U+FFFF. Does not escape backslashes.
 *
 * @example
 * ```ts
 * import { visible } from "@ncolony/core";
 *
 * if (visible("we\u202eb\n") !== "we\\u202eb\\u000a") throw new Error("unexpected");
 * ```
 */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  const shown = replaceHidden(text, (character) => {
    const code = character.codePointAt(0)!;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : escapeOf(code);
  });
  return shown.replace(LONE, (half) => escapeOf(half.charCodeAt(0)));
}

/** Makes the output of `JSON.stringify` safe to show, like {@linkcode visible}. It still parses to the same value. */
export function visibleJson(json: string): string {
  if (PLAIN.test(json)) return json;
  return replaceHidden(json, (character) => {
    return [0, 1].slice(0, character.length).map((at) => escapeOf(character.charCodeAt(at))).join("");
  });
}

function replaceHidden(text: string, escape: (character: string) => string): string {
  return text.replace(hidden ??= new RegExp(HIDDEN, "gu"), escape);
}

function escapeOf(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
