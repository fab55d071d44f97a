import { assertEquals, assertThrows } from "@std/assert";
import { formatMessage, type Message, MessageError, parseMessage } from "@ncolony/core";
import recordings from "../golden/ctl.json" with { type: "json" };

const RESTART: Message = { type: "RESTART", name: "web" };
const RESTART_ALL: Message = { type: "RESTART-ALL" };
const RESTART_GROUP: Message = { type: "RESTART-GROUP", group: "eu" };

/** Valid messages, each in all its spellings. */
const RIGHT: readonly (readonly [what: string, message: Message, ...sources: string[]])[] = [
  ["a restart", RESTART, '{"type":"RESTART","name":"web"}', '{"type":"restart","name":"web"}'],
  ["a restart with value", RESTART, '{"type":"restart","value":"web"}', '{"type":"RESTART","value":"web"}'],
  ["a restart with name before value", RESTART, '{"type":"RESTART","value":"db","name":"web"}'],
  ["a restart of all", RESTART_ALL, '{"type":"RESTART-ALL"}', ' {"type" : "restart-all"}\n'],
  [
    "a restart of a group",
    RESTART_GROUP,
    '{"type":"RESTART-GROUP","group":"eu"}',
    '{"type":"restart-group","group":"eu"}',
  ],
  ["a message with unknown keys", RESTART_ALL, '{"type":"RESTART-ALL","name":5,"why":["now"]}'],
  [
    "a message that says who sent it, why, and for which start",
    { ...RESTART, from: "me", reason: "because", incarnation: 7 },
    '{"type":"RESTART","name":"web","from":"me","reason":"because","incarnation":7}',
  ],
  [
    "a message that says who sent it and why at length",
    { ...RESTART_ALL, from: "é".repeat(200), reason: "😀".repeat(200) },
    JSON.stringify({ type: "RESTART-ALL", from: "é".repeat(201), reason: "😀".repeat(30_000).slice(0, 12_000) }),
  ],
  [
    "a message with other values there, which are unknown keys",
    RESTART_GROUP,
    '{"type":"RESTART-GROUP","group":"eu","from":3,"reason":null,"incarnation":"7"}',
    '{"type":"RESTART-GROUP","group":"eu","from":{},"reason":[],"incarnation":1.5}',
  ],
  ["the last of equal keys", RESTART, '{"type":3,"type":"RESTART","name":"db","name":"web"}'],
  ["a name that no process can have", { type: "RESTART", name: "" }, '{"type":"RESTART","name":""}'],
];

/** Invalid texts, and the field that is invalid. */
const WRONG: readonly (readonly [what: string, field: string | null, ...sources: string[]])[] = [
  ["that are not JSON", null, "", "RESTART-ALL", '{"type":"RESTART-ALL"', '\ufeff{"type":"RESTART-ALL"}'],
  ["that are not an object", null, "[]", '["RESTART-ALL"]', "null", '"RESTART-ALL"', "3"],
  ["without a type", "type", "{}", '{"name":"web"}', '{"__proto__":{"type":"RESTART-ALL"}}'],
  ["of an unknown type", "type", '{"type":"Restart","name":"web"}', '{"type":"STOP"}', '{"type":["RESTART-ALL"]}'],
  ["with a type that is not a string", "type", '{"type":null}', '{"type":3}', '{"type":{}}', '{"type":true}'],
  ["without a name", "name", '{"type":"RESTART"}', '{"type":"restart","group":"web"}'],
  ["with a name that is not a string", "name", '{"type":"RESTART","name":3}', '{"type":"restart","value":null}'],
  ["with an invalid name and a valid value", "name", '{"type":"RESTART","name":null,"value":"web"}'],
  ["without a group", "group", '{"type":"RESTART-GROUP"}', '{"type":"RESTART-GROUP","name":"eu"}'],
  ["with a group that is not a string", "group", '{"type":"RESTART-GROUP","group":["eu"]}'],
];

for (const [what, message, ...sources] of RIGHT) {
  Deno.test(`parseMessage() accepts ${what}`, () => {
    for (const source of sources) assertEquals(parseMessage("1", source), message, source);
  });
}

for (const [what, field, ...sources] of WRONG) {
  Deno.test(`parseMessage() rejects texts ${what}`, () => {
    for (const source of sources) {
      const error = assertThrows(() => parseMessage("17.1", source), MessageError, undefined, source);
      assertEquals([error.file, error.field], ["17.1", field], source);
      assertEquals(error.message, `Cannot parse message "17.1": ${error.reason}`);
    }
  });
}

Deno.test("parseMessage() names the type of an invalid value", () => {
  const error = assertThrows(() => parseMessage("1", '{"type":"RESTART","name":["web"]}'), MessageError);
  assertEquals(error.message, 'Cannot parse message "1": "name" must be a string: got an array');
});

Deno.test("parseMessage() tells who sent an invalid message, and why, if it is an object that says so", () => {
  const originOf = (source: string) => assertThrows(() => parseMessage("1", source), MessageError).origin;
  const origin = { from: "me", reason: "because" };
  assertEquals(originOf(JSON.stringify({ type: "RESTART", ...origin })), origin);
  assertEquals(originOf(JSON.stringify({ type: "STOP", ...origin, reason: 3 })), { from: "me" });
  assertEquals(originOf(JSON.stringify({ from: "x".repeat(201) })), { from: "x".repeat(200) });
  for (const source of ["{", '["from"]', "{}"]) assertEquals(originOf(source), {});
});

Deno.test("formatMessage() writes what parseMessage() reads", () => {
  for (const message of [RESTART, RESTART_ALL, RESTART_GROUP, { type: "RESTART", name: 'a"\u2028😀' }] as const) {
    assertEquals(parseMessage("1", formatMessage(message)), message);
  }
});

Deno.test("formatMessage() reproduces every message that Python NColony's ctl wrote", () => {
  const messages = recordings.flatMap(({ messages }) => messages as Message[]);
  assertEquals(messages.length > 0, true);
  for (const message of messages) {
    assertEquals(JSON.parse(formatMessage(parseMessage("1", JSON.stringify(message)))), message);
  }
});
