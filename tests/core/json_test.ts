import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseObject, whereNotJson } from "@ncolony/core";

/** Texts with a wrong or missing token. V8 reports the place. */
const MISPLACED = `{ [1 {"a" {"a":1 {"a":1, {"a":1,} {a:1} {'a':1} [01] [00] [-01] {"a":1}x {}{} [1]] {"a":1]
  {1:2} {] [1} {}// [1.5.5] [0x10] [1_000] [1]null {"a":1,,} {,} {"a"} {"a":1:2} ["a":1] [[1,[2]3]] {"a":{"b":[]}5}
  ["é😀"x] {"\\"":1"} [true1] [1true] [nullnull] {"a":[{}{}]}`.split(/\s+/);
const SPACED = [
  "[1 2]",
  '{"a" 1}',
  '{"a":1 "b":2}',
  '{"a":1} {',
  "[1,\t\n  2 ;",
  " [1]\n\n  [",
  "[1]\u0000",
  "{\u00a0}",
];
const LINES = [
  '{\n  "a": 1,\n  "b" 2\n}',
  '{\r\n  "a": 1,\r\n  "b" 2\r\n}',
  '\n\n\n{\n"a"\n:\n1\n"b"',
  "[\n1,\n\n2\n3]",
];

/** Texts with a malformed word, number or string, which begins at column `from` of the first line. */
const MALFORMED: readonly (readonly [source: string, from: number])[] = [
  ["[1.]", 2],
  ["[1.x]", 2],
  ["[-]", 2],
  ["[1, -x]", 5],
  ["[1e]", 2],
  ["[1e+]", 2],
  ['["a\nb"]', 2],
  ['["a\\x"]', 2],
  ['["a\\u12"]', 2],
  ['{"a\\u12g4":1}', 2],
  ['["abc', 2],
  ['{"a": "b}', 7],
  ['["\u0001"]', 2],
  ['["tab\t"]', 2],
];

/** Texts for which V8 reports no place, and the place of the error. */
const UNPLACED: readonly (readonly [source: string, place: string])[] = [
  ["", "line 1, column 1"],
  ["  ", "line 1, column 3"],
  ["[", "line 1, column 2"],
  ["[1,", "line 1, column 4"],
  ["[1,]", "line 1, column 4"],
  ["[,1]", "line 1, column 2"],
  ['{"a":', "line 1, column 6"],
  ['{"a":\n\n', "line 3, column 1"],
  ['{"a"::1}', "line 1, column 6"],
  ['{"a":}', "line 1, column 6"],
  ["]", "line 1, column 1"],
  ["[}", "line 1, column 2"],
  ["[.5]", "line 1, column 2"],
  ["[+1]", "line 1, column 2"],
  ["[NaN]", "line 1, column 2"],
  ["[1,\n undefined]", "line 2, column 2"],
  ["// comment\n{}", "line 1, column 1"],
  ["\u00a0{}", "line 1, column 1"],
  ['{"é😀": x}', "line 1, column 9"],
];

Deno.test("whereNotJson() returns the place that V8 reports if a token is missing or unexpected", () => {
  for (const source of [...MISPLACED, ...SPACED, ...LINES]) {
    const { line, column } = placeOfV8(source);
    assertEquals(whereNotJson(source), `line ${line}, column ${column}`, source);
  }
});

Deno.test("whereNotJson() points into a malformed token, not beyond the place that V8 reports", () => {
  for (const [source, from] of MALFORMED) {
    const ours = /^line 1, column (\d+)$/.exec(whereNotJson(source) ?? "");
    const column = Number(ours?.[1]);
    assert(from <= column && column <= placeOfV8(source).column, `${source}: ${column}`);
  }
});

Deno.test("whereNotJson() returns a place if V8 reports none", () => {
  for (const [source, place] of UNPLACED) {
    assertThrows(() => JSON.parse(source), SyntaxError);
    assertEquals(whereNotJson(source), place, source);
  }
});

Deno.test("whereNotJson() returns null for valid JSON", () => {
  for (
    const source of ['{"a":[1,-0.5e+10,true,false,null,"\\u00e9\\n\\\\",{}]}', "[]", "0", '""', "-1E5", "[[[]],{}]"]
  ) {
    JSON.parse(source);
    assertEquals(whereNotJson(source), null);
  }
});

Deno.test("whereNotJson() handles the longest config, whatever it is filled with", () => {
  for (const filling of ["[", "1,", '"', "\\n", "x", " ", '{"a":', "\n", "1", "😀"]) {
    for (const start of ["", "[", '["']) {
      const source = start + filling.repeat(131_056 / filling.length);
      assertEquals(whereNotJson(source) === null, isJson(source));
    }
  }
});

/** Alphabets, each with the length up to which every word is tested. */
const ALPHABETS: readonly (readonly [of: string, length: number, letters: readonly string[]])[] = [
  ["marks", 6, ["[", "]", "{", "}", ",", ":", '"a"', "1"]],
  ["numbers and names", 6, ["0", "1", "-", "+", ".", "e", "true"]],
  ["strings", 5, ['"', "\\", "u", "00e9", "n", "x", "\0", "\u001f", "\u007f", "\u2028"]],
  ["space", 4, ["[", "]", "{}", " ", "\t", "\r", "\n", "\f", "\v", "\u00a0", "\ufeff", "\u2028", "1"]],
];

for (const [of, length, letters] of ALPHABETS) {
  Deno.test(`whereNotJson() finds a fault if and only if JSON.parse() throws, in every word of up to ${length} ${of}`, () => {
    let words = [""];
    for (let long = 0; long <= length; long++) {
      for (const word of words) assertEquals(whereNotJson(word) === null, isJson(word), word);
      words = long < length ? words.flatMap((word) => letters.map((letter) => word + letter)) : [];
    }
  });
}

Deno.test("parseObject() returns an object with __proto__ as an own key", () => {
  const object = parseObject('{"a":[1],"__proto__":2}', Error);
  assertEquals(Object.entries(object), [["a", [1]], ["__proto__", 2]]);
});

Deno.test("parseObject() throws the error that the caller creates from the reason", () => {
  assertThrows(() => parseObject("[1]", RangeError), RangeError, "must be a JSON object: got an array");
  assertThrows(() => parseObject("[1", RangeError), RangeError, "invalid JSON at line 1, column 3");
});

Deno.test("parseObject() tells what people mostly did wrong, and quotes nothing", () => {
  const lines = ["{", '"args": ["hunter2"]', "}"].join("\n");
  const hints: Readonly<Record<string, readonly string[]>> = {
    "the file is empty": ["", " \r\n"],
    "a } is missing at the end": ["{", '{"a": 1', lines.slice(0, -1)],
    "a ] is missing at the end": ["[", '{"a": [1'],
    "there must be no comma before the }": ['{"a": 1,}', '{"a": 1,\n}'],
    "there must be no comma before the ]": ['{"a": [1, ]}'],
    "a comma is missing": ['{"a": [1 2]}', '{"a": "b"\n"c": 1}', '{"a": {} "b": 1}'],
    "a : is missing": ['{"a" 1}', '{"a"}', '{"a" = 1}'],
    "a value is missing": ['{"a":,}', "[,]", '{"a": }'],
    "a ] that closes nothing": ["]"],
    "a } is missing before the ]": ['{"a": 1]'],
    "a ] is missing before the }": ['{"a": [1, 2}', '{"a": ["b"}'],
    "something follows the last }": ["{}x", "{}}", "{}\n{}"],
    'a key needs " around it': ["{hunter2: 1}", "{,}"],
    'a string needs " around it': ['{"a": hunter2}', '{"a": ~/x}', '{"a": /bin/x}', '{"a": .x}'],
    "the words of JSON are true, false and null": ['{"a": True}', '{"a": yes}', '{"a": None}', '{"a": NaN}'],
    "the first character must be {": ["hunter2", "args: [x]", "---\nargs: 1"],
    "JSON has no comments": ["// x\n{}", '{"a": 1 /* x */}', '{"a": 1 # x\n}', "#!/bin/sh", "{}\n// x"],
    "' in place of \"": ["{'a': 1}", "{\"a\": 'hunter2'}"],
    'typographic quotes in place of "': ["{\u201ca\u201d: 1}"],
    "an invisible character that is not a space": ['{"a":\u00a01}', '{\u200b"a": 1}'],
    "a NUL character (is the file UTF-16? it must be UTF-8)": ["{\0", "{}\0"],
    "not a number in JSON": ['{"a": 0755}', '{"a": 1.}', '{"a": +1}', '{"a": .5}', '{"a": 0x1f}', '{"a": -}'],
    'a string must end with " on its line': ['{"a": "x\ny"}', '{"a": "x'],
    "a \\ in a string is written \\\\": ['{"a": "\\d"}', '{"a": "C:\\hunter2"}'],
    "a control character in a string, such as a tab": ['{"a": "x\ty"}'],
  };
  for (const [hint, texts] of Object.entries(hints)) {
    for (const text of texts) {
      const { message } = assertThrows(() => parseObject(text, Error), Error, undefined, text);
      assertEquals(message.replace(/^invalid JSON at line \d+, column \d+: /, ""), hint, text);
    }
  }
  assertThrows(() => parseObject('{"a": (1)}', Error), Error, "invalid JSON at line 1, column 7");
});

function isJson(source: string): boolean {
  try {
    JSON.parse(source);
    return true;
  } catch {
    return false;
  }
}

/** Returns the place where V8 finds that a text is not JSON. */
function placeOfV8(source: string): { line: number; column: number } {
  const { message } = assertThrows(() => JSON.parse(source), SyntaxError);
  const place = /line (\d+) column (\d+)/.exec(message);
  assert(place !== null, message);
  return { line: Number(place[1]), column: Number(place[2]) };
}
