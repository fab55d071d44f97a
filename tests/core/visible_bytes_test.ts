import { visibleBytes } from "@ncolony/core";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

/** Text in UTF-8. */
const TEXTS = fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text));
const PIECES = fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), TEXTS));

Deno.test("visibleBytes() escapes all control characters but tabs, and leaves all other characters unchanged", () => {
  fc.assert(
    fc.property(PIECES, (pieces) => {
      const bytes = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
      const shown = visibleBytes(bytes);
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(shown);
      // deno-lint-ignore no-control-regex -- searches for control characters
      assertEquals(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/.test(text), false);
      // Invalid bytes are decoded as U+FFFD, which has no such byte.
      assertEquals(countOfC1(shown), countOfC1(new TextEncoder().encode(text)));
      if (!bytes.includes(0x5c)) assertEquals(unescape(shown), [...bytes]);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("visibleBytes() returns the same array if there is nothing to escape", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const bytes = new TextEncoder().encode(text);
    assert(visibleBytes(bytes) === bytes);
  }));
});

function countOfC1(bytes: Uint8Array): number {
  return bytes.filter((byte) => byte >= 0x80 && byte <= 0x9f).length;
}

/** Returns the bytes before they were escaped. */
function unescape(shown: Uint8Array): number[] {
  const text = String.fromCharCode(...shown);
  const bytes = text.replaceAll(/\\u00(..)|\\x(..)/g, (_, unit, byte) => {
    const code = parseInt(unit ?? byte, 16);
    return (unit !== undefined && code > 0x7f ? "\xc2" : "") + String.fromCharCode(code);
  });
  return [...bytes].map((character) => character.charCodeAt(0));
}
