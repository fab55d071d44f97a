import { assertEquals, assertThrows } from "@std/assert";
import { checkInteger, checkNumber, checkText } from "@ncolony/core";

Deno.test("checkNumber() accepts a number in its range, and undefined", () => {
  for (const value of [0.5, 1, 10, undefined]) checkNumber("freq", value, 0.5, 10);
});

for (const value of [NaN, 0, -1, 0.49, 10.01, Infinity, -Infinity]) {
  Deno.test(`checkNumber() throws a RangeError that names the option for ${value}`, () => {
    const error = assertThrows(() => checkNumber("freq", value, 0.5, 10), RangeError);
    assertEquals(error.message, `"freq" must be a number from 0.5 to 10: got ${value}`);
  });
}

for (const [kind, value] of [["a string", "1"], ["null", null], ["an array", [1]], ["a bigint", 1n]] as const) {
  Deno.test(`checkNumber() throws a TypeError that shows no value for ${kind}`, () => {
    const error = assertThrows(() => checkNumber("freq", value, 0, 10), TypeError);
    assertEquals(error.message, `"freq" must be a number: got ${kind}`);
  });
}

Deno.test("checkInteger() accepts only whole numbers", () => {
  checkInteger("keep", 3, 0, 10);
  checkInteger("keep", undefined, 0, 10);
  assertThrows(() => checkInteger("keep", 1.5, 0, 10), RangeError, '"keep" must be a whole number: got 1.5');
  assertThrows(() => checkInteger("keep", 11, 0, 10), RangeError, "from 0 to 10");
});

Deno.test("checkText() accepts only text that is not empty", () => {
  checkText("config", "conf");
  assertThrows(() => checkText("config", ""), TypeError, '"config" must not be empty');
  assertThrows(() => checkText("config", undefined), TypeError, '"config" must be a string: got nothing');
});
