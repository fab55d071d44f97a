import { assertEquals } from "@std/assert";
import { type Json, mergePatch } from "@ncolony/core";

/** The examples of RFC 7396, Appendix A: the target, the patch, and the result. */
const EXAMPLES: readonly (readonly [target: string, patch: string, result: string])[] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', "{}"],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', "null", "null"],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
  ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  // Not from there: names that mean something to JavaScript, and the order of keys.
  ['{"a":1}', '{"__proto__":{"b":2}}', '{"a":1,"__proto__":{"b":2}}'],
  ['{"c":1,"a":{"z":1,"y":2},"b":3}', '{"a":{"y":null,"x":4},"c":5}', '{"c":5,"a":{"z":1,"x":4},"b":3}'],
];

for (const [target, patch, result] of EXAMPLES) {
  Deno.test(`mergePatch() makes ${result} of ${target} and ${patch}`, () => {
    const [before, change]: Json[] = [JSON.parse(target), JSON.parse(patch)];
    assertEquals(JSON.stringify(mergePatch(before, change!)), result);
    assertEquals([JSON.stringify(before), JSON.stringify(change)], [target, patch], "both stay as they are");
  });
}
