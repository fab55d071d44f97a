import { visible, visibleJson } from "@ncolony/core";
import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";

/** Texts with control characters or invisible characters, and how they are shown. */
const SHOWN: readonly (readonly [what: string, text: string, shown: string])[] = [
  ["control characters", "a\n\r\t\0\u001b[2J\u007f", "a\\u000a\\u000d\\u0009\\u0000\\u001b[2J\\u007f"],
  ["8-bit control characters", "\u0080\u0085\u009b\u009f", "\\u0080\\u0085\\u009b\\u009f"],
  ["line and paragraph separators", "a\u2028b\u2029", "a\\u2028b\\u2029"],
  ["direction marks", "\u200e\u200f\u061c\u202a\u202e\u202c", "\\u200e\\u200f\\u061c\\u202a\\u202e\\u202c"],
  ["isolates", "\u2066\u2067\u2068\u2069", "\\u2066\\u2067\\u2068\\u2069"],
  ["characters without width", "a\u200bb\u200c\u200d\u2060\ufeff", "a\\u200bb\\u200c\\u200d\\u2060\\ufeff"],
  ["invisible characters", "\u00ad\u034f\u115f\u3164\uffa0\ufe0f", "\\u00ad\\u034f\\u115f\\u3164\\uffa0\\ufe0f"],
  ["format characters", "\ufff9\u06dd", "\\ufff9\\u06dd"],
  ["characters beyond U+FFFF", "a\u{e0001}\u{1d173}", "a\\u{e0001}\\u{1d173}"],
  ["halves of surrogate pairs", "\ud800a\udc00", "\\ud800a\\udc00"],
];

for (const [what, text, shown] of SHOWN) {
  Deno.test(`visible() escapes ${what}`, () => assertEquals(visible(text), shown));
}

Deno.test("visible() leaves all other characters unchanged", () => {
  for (const text of ["", "a b~", "é ß \u00a0", "日本", "😀", "e\u0301", "עברית", "\\u001b", '"{}', "\ufffd"]) {
    assertEquals(visible(text), text);
  }
});

Deno.test("visibleJson() returns JSON of the same value with only visible characters", () => {
  for (const [, text] of SHOWN) {
    const json = visibleJson(JSON.stringify({ [text]: text }));
    assertMatch(json, /^[ -~]*$/);
    assertEquals(JSON.parse(json), { [text]: text });
  }
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const json = JSON.stringify(text);
    assertEquals([JSON.parse(visibleJson(json)), visible(visibleJson(json))], [text, visibleJson(json)]);
  }));
});
