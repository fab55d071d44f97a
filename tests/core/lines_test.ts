import { assert, assertEquals } from "@std/assert";
import { LineSplitter, MAX_LINE_BYTES } from "@ncolony/core";
import { Random } from "./random.ts";

/** A line, or a piece of a long line, as the sink received it. */
interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly first: boolean;
  readonly last: boolean;
}

/** Splits these chunks. Each chunk is overwritten as soon as it was pushed. */
function split(chunks: readonly Uint8Array[], limit?: number): Piece[] {
  const pieces: Piece[] = [];
  let chunk = new Uint8Array(0);
  const splitter = new LineSplitter((bytes, start, end, first, last) => {
    if (bytes !== chunk) assert(bytes.buffer.byteLength <= (limit ?? MAX_LINE_BYTES), "holds more than the limit");
    pieces.push({ bytes: bytes.slice(start, end), first, last });
  }, limit);
  for (const each of chunks) {
    chunk = each.slice();
    splitter.push(chunk);
    chunk.fill(0x21);
  }
  splitter.end();
  return pieces;
}

/** Returns the pieces of a text in one chunk. `|` marks that the line continues before or after the piece. */
function show(text: string, limit?: number): string[] {
  return split([encode(text)], limit).map(({ bytes, first, last }) =>
    (first ? "" : "|") + new TextDecoder("utf-8", { fatal: true }).decode(bytes) + (last ? "" : "|")
  );
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Cuts bytes into chunks of at most `most` bytes, some of them empty. */
function cut(bytes: Uint8Array, random: Random, most: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = random.below(most + 1);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const CASES: readonly (readonly [sentence: string, text: string, limit: number, ...pieces: string[]])[] = [
  ["emits nothing for empty input", "", 8],
  ["emits a line without its newline", "abc\n", 8, "abc"],
  ["emits empty lines", "\n\na\n\n", 8, "", "", "a", ""],
  ["emits a last line without newline at the end", "abc\nde", 8, "abc", "de"],
  ["keeps a carriage return", "a\r\nb\r", 8, "a\r", "b\r"],
  ["emits a line of exactly the limit as one piece", "12345678\nabc\n", 8, "12345678", "abc"],
  ["emits a line over the limit in pieces that are marked as first or last", "123456789\na", 8, "12345678|", "|9", "a"],
  ["emits a line of several times the limit in as many pieces", "0123456789ab\n", 4, "0123|", "|4567|", "|89ab"],
  ["emits a long last line without newline in pieces", "0123456789", 4, "0123|", "|4567|", "|89"],
  ["does not split a character of two bytes", "abcéé\n", 4, "abc|", "|éé"],
  ["does not split a character of three bytes", "ab€€\n", 4, "ab|", "|€|", "|€"],
  ["does not split a character of four bytes", "a😀😀b\n", 6, "a😀|", "|😀b"],
  ["fills a piece with characters of two bytes", "ééé\n", 4, "éé|", "|é"],
  ["fills a piece with characters of three bytes", "€€€\n", 6, "€€|", "|€"],
  ["fills a piece with characters of four bytes", "😀😀😀\n", 8, "😀😀|", "|😀"],
];

for (const [sentence, text, limit, ...pieces] of CASES) {
  Deno.test(`LineSplitter ${sentence}`, () => assertEquals(show(text, limit), pieces));
}

Deno.test("LineSplitter emits the same pieces wherever a text is cut into two chunks", () => {
  const bytes = encode("first\n\nsécond😀€ and long\r\nlast 😀😀😀");
  for (const limit of [4, 5, 7, 16, 100]) {
    const whole = split([bytes], limit);
    for (let at = 0; at <= bytes.length; at++) {
      assertEquals(split([bytes.subarray(0, at), bytes.subarray(at)], limit), whole, `cut at ${at}, limit ${limit}`);
    }
    assertEquals(split(Array.from(bytes, (byte) => Uint8Array.of(byte)), limit), whole, `byte by byte, limit ${limit}`);
  }
});

Deno.test("LineSplitter emits every byte of random chunks, in pieces up to its limit", () => {
  const random = new Random(5);
  for (let texts = 0; texts < 2000; texts++) {
    const bytes = Uint8Array.from({ length: random.below(200) }, () => random.chance(0.1) ? 0x0a : random.below(256));
    const limit = 4 + random.below(30);
    const pieces = split(cut(bytes, random, 1 + random.below(60)), limit);
    assert(pieces.every((piece) => piece.bytes.length <= limit));
    assertEquals(joined(pieces), linesOf(bytes));
    assertEquals(pieces, split([bytes], limit));
  }
});

Deno.test("LineSplitter splits no character of a random text if one fits into its limit", () => {
  const random = new Random(6);
  for (let texts = 0; texts < 1000; texts++) {
    const text = Array.from({ length: random.below(80) }, () => random.pick(["a", "é", "\u0800", "€", "😀", "\n"]))
      .join("");
    for (const { bytes } of split(cut(encode(text), random, 9), 4 + random.below(9))) {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    }
  }
});

Deno.test("LineSplitter cuts invalid characters at its limit", () => {
  const [euro] = encode("€");
  for (const unit of [[0x80], [euro!, 0x61]]) {
    const bytes = Uint8Array.from({ length: 10 }, (_, at) => unit[at % unit.length]!);
    const lengths = split([bytes], 4).map((piece) => piece.bytes.length);
    assertEquals(lengths, [4, 4, 2], `${unit}`);
  }
});

Deno.test("LineSplitter can be used again after end()", () => {
  const texts: string[] = [];
  const splitter = new LineSplitter((bytes, start, end, first, last) => {
    texts.push(`${new TextDecoder().decode(bytes.subarray(start, end))} ${first} ${last}`);
  }, 4);
  for (const text of ["abcdef", "g\nhi"]) {
    splitter.push(encode(text));
    splitter.end();
  }
  assertEquals(texts, ["abcd true false", "ef false true", "g true true", "hi true true"]);
});

Deno.test(`LineSplitter holds ${MAX_LINE_BYTES} bytes by default`, () => {
  const lengths = split([new Uint8Array(2 * MAX_LINE_BYTES + 1).fill(0x61)]).map((piece) => piece.bytes.length);
  assertEquals(lengths, [MAX_LINE_BYTES, MAX_LINE_BYTES, 1]);
});

/** Joins pieces to lines, as strings with one character per byte. */
function joined(pieces: readonly Piece[]): string[] {
  const lines: string[] = [];
  let isOpen = false;
  for (const { bytes, first, last } of pieces) {
    assertEquals(first, !isOpen);
    lines.push((first ? "" : lines.pop()!) + String.fromCharCode(...bytes));
    isOpen = !last;
  }
  assertEquals(isOpen, false);
  return lines;
}

/** Returns the lines of a text, as strings with one character per byte. */
function linesOf(bytes: Uint8Array): string[] {
  const lines = String.fromCharCode(...bytes).split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

Deno.test("LineSplitter emits what it holds back as a piece on flush(), and splits no character", () => {
  const pieces: string[] = [];
  const splitter = new LineSplitter((bytes, start, end, first, last) => {
    pieces.push(`${new TextDecoder().decode(bytes.slice(start, end))} ${first} ${last}`);
  });
  const euro = new TextEncoder().encode("Password \u20ac");
  splitter.push(euro.subarray(0, -1));
  assertEquals([splitter.isHolding, splitter.ended], [true, 0]);
  splitter.flush();
  splitter.flush();
  splitter.push(euro.subarray(-1));
  splitter.push(new TextEncoder().encode(" done\nnext"));
  assertEquals(splitter.ended, 1);
  splitter.end();
  splitter.flush();
  assertEquals(pieces, ["Password  true false", "\u20ac done false true", "next true true"]);
});
