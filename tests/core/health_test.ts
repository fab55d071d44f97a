import { assertEquals } from "@std/assert";
import { currentHealth, formatHealth, type Health, newStatus, parseHealth, whyUnhealthy } from "@ncolony/core";

const GOOD: Health = { isHealthy: true, since: 2000, last: 3000, reason: "status 200", incarnation: 7 };
const RUNNING = { ...newStatus("web", 0), state: "running", incarnation: 7, started: 1000 } as const;

Deno.test("formatHealth() and parseHealth() keep what is known, and the nearest time that has a date", () => {
  assertEquals(parseHealth(formatHealth(GOOD)), GOOD);
  const none = { ...GOOD, isHealthy: null, last: null, reason: null, incarnation: null };
  assertEquals(parseHealth(formatHealth(none)), none);
  assertEquals(parseHealth(formatHealth({ ...GOOD, since: 1e20, last: -1e20 }))?.since, 8.64e15);
  for (const text of ["", "null", "[]", "{"]) assertEquals(parseHealth(text), null);
  assertEquals(parseHealth('{"healthy":1,"since":[],"reason":{},"incarnation":-1}'), { ...none, since: 0 });
});

Deno.test("currentHealth() knows nothing of a process that does not run, or was started since", () => {
  const isKnown = (found: Health, status = {}) => currentHealth(found, { ...RUNNING, ...status }).isHealthy !== null;
  assertEquals(isKnown(GOOD), true);
  assertEquals(isKnown({ ...GOOD, incarnation: null }), true);
  assertEquals(isKnown(GOOD, { incarnation: 8 }), false);
  assertEquals(isKnown(GOOD, { state: "stopping" }), false);
  // An earlier colony had a process of this name, with as many starts.
  assertEquals(isKnown(GOOD, { started: 3001 }), false);
  assertEquals(isKnown({ ...GOOD, isHealthy: false, since: 1500, last: 500 }), true);
});

Deno.test("whyUnhealthy() names each checker, also the one that had a process restarted and has no result since", () => {
  const bad = { ...GOOD, isHealthy: false, reason: "status 500" };
  const unknown = { ...GOOD, isHealthy: null };
  const why = (healths: Record<string, Health>, from: string | null = null) => {
    const cause = { kind: "message", messages: ["1"], from, reason: "no heartbeat" } as const;
    return whyUnhealthy(new Map(Object.entries(healths)), { cause });
  };
  assertEquals(why({ httpcheck: GOOD, beatcheck: unknown }), null);
  const invalid = { ...GOOD, isHealthy: null, last: null, reason: '"grace" is missing' };
  assertEquals(why({ httpcheck: GOOD, beatcheck: invalid }), 'cannot be checked (beatcheck: "grace" is missing)');
  assertEquals(
    why({ httpcheck: bad, beatcheck: { ...bad, reason: null } }),
    "is unhealthy (httpcheck: status 500; beatcheck)",
  );
  const restarted = "was restarted by beatcheck (no heartbeat) and has not been healthy since";
  assertEquals(why({ beatcheck: unknown }, "beatcheck"), restarted);
  assertEquals([why({ beatcheck: GOOD }, "beatcheck"), why({}, "beatcheck"), why({ beatcheck: unknown }, "ctl")], [
    null,
    null,
    null,
  ]);
});
