import { SharedPlace, WholeLines } from "@ncolony/core";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const LONG = 65_536;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns what is passed on after each chunk and at the end. The memory of a chunk is reused, as in a pump. */
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

Deno.test("WholeLines holds back at most 64 KiB of a line", () => {
  const half = "x".repeat(LONG / 2);
  assertEquals(pass(half, half, "y", "z\n").map(({ length }) => length), [0, 0, LONG + 1, 2, 0]);
  const first = "x".repeat(LONG + 1);
  assertEquals(pass(first, "y").map(({ length }) => length), [LONG + 1, 0, 2]);
});

/** Returns the output of two streams in a shared place. `"a: text"` is text of stream `a`, `"a"` alone flushes it. */
function share(...steps: readonly string[]): string {
  const place = new SharedPlace();
  const streams = { a: new WholeLines(place), b: new WholeLines(place) };
  const passed = steps.map((step) => {
    const stream = streams[step[0] as "a" | "b"];
    return step.length === 1 ? [...stream.flush()] : [...stream.push(bytesOf(step.slice(3)))];
  });
  return [...passed, [...streams.a.end()], [...streams.b.end()]].flat()
    .map((piece) => new TextDecoder().decode(piece)).join("");
}

const SHARED: readonly (readonly [steps: readonly string[], text: string])[] = [
  [["a: Password: ", "a", "a: given\n"], "Password: given\n"],
  [["a: Password: ", "a", "a", "a: given", "a"], "Password: given\n"],
  [["a: Password: ", "a", "b: error\n", "a: given\n"], "Password: \nerror\ngiven\n"],
  [["a: Password: ", "b: error\n", "a: given\n"], "error\nPassword: given\n"],
  [["a: 1", "a", "b: 2", "b", "a: 3", "a"], "1\n2\n3\n"],
  [["a: 1", "a", "b: 2", "a: \n"], "1\n2\n"],
  [["a: 1", "a", "b: 2\n"], "1\n2\n"],
  [[`a: ${"x".repeat(LONG + 1)}`, "b: error\n", "a: y\n"], `${"x".repeat(LONG + 1)}\nerror\ny\n`],
];

for (const [steps, text] of SHARED) {
  Deno.test(`WholeLines never mixes two streams in one line: ${JSON.stringify(steps).slice(0, 80)}`, () => {
    assertEquals(share(...steps), text);
  });
}

Deno.test("WholeLines passes on every line of two streams, whatever is flushed before the end of a line", () => {
  const step = fc.tuple(fc.constantFrom("a", "b"), fc.constantFrom("", "x", "y\n", "z\nz"));
  fc.assert(fc.property(fc.array(step), (steps) => {
    const text = share(
      ...steps.map(([name, text]) => text === "" ? name : `${name}: ${text.replaceAll(/[xyz]/g, name)}`),
    );
    // Each line is from one stream, and nothing is lost.
    assert(text === "" || text.endsWith("\n"));
    for (const line of text.split("\n")) assert(new Set(line).size <= 1);
    const given = (name: string) =>
      steps.filter(([of]) => of === name).flatMap(([, text]) => [...text.matchAll(/[xyz]/g)]);
    for (const name of ["a", "b"]) assertEquals(text.split(name).length - 1, given(name).length);
  }));
});
