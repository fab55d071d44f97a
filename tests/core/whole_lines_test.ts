import { WholeLines } from "@ncolony/core";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const LONG = 65_536;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What is passed on of each of these chunks, and at the end; a chunk's memory is used again, as a pump's is. */
function pass(...chunks: readonly (string | Uint8Array)[]): string[] {
  const lines = new WholeLines();
  const decode = (pieces: readonly Uint8Array[]) =>
    pieces.map((piece) => new TextDecoder("latin1").decode(piece)).join("");
  const passed = chunks.map((chunk) => {
    const bytes = typeof chunk === "string" ? bytesOf(chunk) : chunk.slice();
    const text = decode(lines.push(bytes));
    bytes.fill(0x3f);
    return text;
  });
  return [...passed, decode(lines.end())];
}

const TABLE: readonly (readonly [chunks: readonly string[], passed: readonly string[]])[] = [
  [[], [""]],
  [["a\n"], ["a\n", ""]],
  [["a"], ["", "a\n"]],
  [["a", "b\nc", "d\n"], ["", "ab\n", "cd\n", ""]],
  [["a\nb\nc"], ["a\nb\n", "c\n"]],
  [["\n\n"], ["\n\n", ""]],
  [["a", "", "\n"], ["", "", "a\n", ""]],
];

for (const [chunks, passed] of TABLE) {
  Deno.test(`WholeLines passes ${JSON.stringify(chunks)} on as ${JSON.stringify(passed)}`, () => {
    assertEquals(pass(...chunks), passed);
  });
}

Deno.test("WholeLines passes on every byte in order, and nothing but whole lines", () => {
  const chunk = fc.uint8Array({ max: 12, maxLength: 30 });
  fc.assert(fc.property(fc.array(chunk), (chunks) => {
    const passed = pass(...chunks);
    const all = chunks.map((bytes) => new TextDecoder("latin1").decode(bytes)).join("");
    assertEquals(passed.join(""), all === "" || all.endsWith("\n") ? all : `${all}\n`);
    assert(passed.every((text) => text === "" || text.endsWith("\n")));
  }));
});

Deno.test("WholeLines holds no more of a line than 64 KiB", () => {
  const half = "x".repeat(LONG / 2);
  assertEquals(pass(half, half, "y", "z\n").map(({ length }) => length), [0, 0, LONG + 1, 2, 0]);
  const first = "x".repeat(LONG + 1);
  assertEquals(pass(first, "y").map(({ length }) => length), [LONG + 1, 0, 2]);
});
