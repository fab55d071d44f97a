import { assertEquals } from "@std/assert";
import { placeOf } from "@ncolony/core";

const CONFIG = `{
  "args": ["httpd", {"args": 1}],
  "env": {"HOME": "/", "a.b": 2},
  "ncolony.monitor": {
    "limits": {"cpu": 0}, "cwd": 3, "cwd": 4
  }
}`;

const PLACES: readonly (readonly [field: string, line: number, column: number])[] = [
  ["args", 2, 3],
  ["env", 3, 3],
  ["env.HOME", 3, 11],
  ["env.a.b", 3, 24],
  ["ncolony.monitor", 4, 3],
  ["ncolony.monitor.limits", 5, 5],
  ["ncolony.monitor.limits.cpu", 5, 16],
  // The last of equal keys counts.
  ["ncolony.monitor.cwd", 5, 37],
];

for (const [field, line, column] of PLACES) {
  Deno.test(`placeOf() finds where ${field} is`, () => assertEquals(placeOf(CONFIG, field), { line, column }));
}

Deno.test("placeOf() finds where a text stops being JSON", () => {
  assertEquals(placeOf('{"args": ["a",]}', null), { line: 1, column: 15 });
  assertEquals(placeOf('{\n\t"args" 3}', null), { line: 2, column: 9 });
  assertEquals(placeOf("", null), { line: 1, column: 1 });
});

Deno.test("placeOf() returns null for a missing key, and for a text that is JSON", () => {
  assertEquals([placeOf(CONFIG, "uid"), placeOf(CONFIG, null), placeOf("[]", "args")], [null, null, null]);
});
