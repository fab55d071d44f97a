/** Most texts match this pattern. */
const PLAIN = /^[ -~]*$/;

/** Characters that combine with the one before, or are not shown. */
const NONE = /[\p{Cc}\p{Cf}\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\u1160-\u11ff]/u;

/** Characters that take two columns: most of East Asia, and pictures. */
const WIDE = RegExp(
  "(?![\\u{1f1e6}-\\u{1f1ff}])[\\p{Emoji_Presentation}\\u1100-\\u115f\\u2329\\u232a\\u2e80-\\u303e\\u3041-\\u4dbf" +
    "\\u4e00-\\ua4cf\\ua960-\\ua97c\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe10-\\ufe19\\ufe30-\\ufe6b\\uff01-\\uff60" +
    "\\uffe0-\\uffe6\\u{16fe0}-\\u{1b2ff}\\u{1f200}-\\u{1f265}\\u{20000}-\\u{3fffd}]",
  "u",
);

/** Returns how many columns of a terminal a text takes. `npm:deno-std` lacks the table that its own function reads. */
export function unicodeWidth(str: string): number {
  if (PLAIN.test(str)) return str.length;
  return [...str].reduce((sum, character) => sum + (NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1), 0);
}
