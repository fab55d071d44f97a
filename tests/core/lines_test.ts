import { assert, assertEquals } from "@std/assert";
import { LineSplitter, MAX_LINE_BYTES } from "@ncolony/core";
import { Random } from "./random.ts";

/** A line, or a piece of a long one, as the sink got it. */
interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly first: boolean;
  readonly last: boolean;
}

/** Splits what comes in these chunks; each is overwritten as soon as it was taken. */
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

/** The pieces that a text in one chunk is split into: `|` where the line goes on before or after the piece. */
function show(text: string, limit?: number): string[] {
  return split([encode(text)], limit).map(({ bytes, first, last }) =>
    (first ? "" : "|") + new TextDecoder("utf-8", { fatal: true }).decode(bytes) + (last ? "" : "|")
  );
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Cuts bytes into chunks of up to so many bytes, some of them empty. */
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
  ["gives nothing of nothing", "", 8],
  ["gives a line without its newline", "abc\n", 8, "abc"],
  ["gives empty lines", "\n\na\n\n", 8, "", "", "a", ""],
  ["gives a last line without newline at the end", "abc\nde", 8, "abc", "de"],
  ["keeps a carriage return", "a\r\nb\r", 8, "a\r", "b\r"],
  ["gives a line of exactly the limit whole", "12345678\nabc\n", 8, "12345678", "abc"],
  ["gives a line over the limit in pieces that say where they belong", "123456789\na", 8, "12345678|", "|9", "a"],
  ["gives a line of several limits in as many pieces", "0123456789ab\n", 4, "0123|", "|4567|", "|89ab"],
  ["gives a long last line without newline in pieces", "0123456789", 4, "0123|", "|4567|", "|89"],
  ["tears no character of two bytes", "abcéé\n", 4, "abc|", "|éé"],
  ["tears no character of three bytes", "ab€€\n", 4, "ab|", "|€|", "|€"],
  ["tears no character of four bytes", "a😀😀b\n", 6, "a😀|", "|😀b"],
  ["fills a piece with characters of two bytes", "ééé\n", 4, "éé|", "|é"],
  ["fills a piece with characters of three bytes", "€€€\n", 6, "€€|", "|€"],
  ["fills a piece with characters of four bytes", "😀😀😀\n", 8, "😀😀|", "|😀"],
];

for (const [sentence, text, limit, ...pieces] of CASES) {
  Deno.test(`LineSplitter ${sentence}`, () => assertEquals(show(text, limit), pieces));
}

Deno.test("LineSplitter gives the same pieces wherever a text is cut into two chunks", () => {
  const bytes = encode("first\n\nsécond😀€ and long\r\nlast 😀😀😀");
  for (const limit of [4, 5, 7, 16, 100]) {
    const whole = split([bytes], limit);
    for (let at = 0; at <= bytes.length; at++) {
      assertEquals(split([bytes.subarray(0, at), bytes.subarray(at)], limit), whole, `cut at ${at}, limit ${limit}`);
    }
    assertEquals(split(Array.from(bytes, (byte) => Uint8Array.of(byte)), limit), whole, `byte by byte, limit ${limit}`);
  }
});

Deno.test("LineSplitter gives every byte of any bytes in any chunks, in pieces up to its limit", () => {
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

Deno.test("LineSplitter tears no character of a random text, where its limit holds one", () => {
  const random = new Random(6);
  for (let texts = 0; texts < 1000; texts++) {
    const text = Array.from({ length: random.below(80) }, () => random.pick(["a", "é", "\u0800", "€", "😀", "\n"]))
      .join("");
    for (const { bytes } of split(cut(encode(text), random, 9), 4 + random.below(9))) {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    }
  }
});

Deno.test("LineSplitter cuts broken characters at its limit", () => {
  const [euro] = encode("€");
  for (const unit of [[0x80], [euro!, 0x61]]) {
    const bytes = Uint8Array.from({ length: 10 }, (_, at) => unit[at % unit.length]!);
    const lengths = split([bytes], 4).map((piece) => piece.bytes.length);
    assertEquals(lengths, [4, 4, 2], `${unit}`);
  }
});

Deno.test("LineSplitter may be used on after its end", () => {
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

Deno.test(`LineSplitter holds ${MAX_LINE_BYTES} bytes when nothing else is said`, () => {
  const lengths = split([new Uint8Array(2 * MAX_LINE_BYTES + 1).fill(0x61)]).map((piece) => piece.bytes.length);
  assertEquals(lengths, [MAX_LINE_BYTES, MAX_LINE_BYTES, 1]);
});

/** The lines that whole pieces make, as strings of one character a byte. */
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

/** The lines of a text, as strings of one character a byte. */
function linesOf(bytes: Uint8Array): string[] {
  const lines = String.fromCharCode(...bytes).split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

Deno.test("LineSplitter gives what it holds back as a piece when it is asked to, and tears no character", () => {
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
