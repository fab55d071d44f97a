/** Most texts match this, and need no other pattern. */
const PLAIN = /^[ -~]*$/;

/**
 * Characters that act on a terminal or cannot be seen: control and format characters, direction marks among them; line and
 * paragraph separators; and those that Unicode displays as nothing. V8 takes 2 ms to compile it, so it is compiled only when
 * a text needs it: most programs then start without it.
 */
const HIDDEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`;

let hidden: RegExp | undefined;

/** Half of a surrogate pair. It is not in the pattern above, which would take twice as long with it. */
const LONE = /[\ud800-\udfff]/gu;

/**
 * Makes a text safe to show in one line: characters that could move a cursor, begin a line, change the direction of
 * writing, or not be seen become escapes such as `\u001b`, or `\u{e0001}` beyond U+FFFF. Backslashes are not escaped.
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

/** Makes JSON of `JSON.stringify` safe to show, as {@linkcode visible} does, by JSON escapes: it parses to the same value. */
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
