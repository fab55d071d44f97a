import { assertEquals } from "@std/assert";
import {
  formatStatus,
  type Health,
  healthEvent,
  isStanding,
  monitorGone,
  newStatus,
  parseRecorded,
  parseStatus,
  type RecordedEvent,
  type View,
} from "@ncolony/core";

const NOW = 1_790_000_000_000;

const HEALTH: Health = { isHealthy: false, since: NOW - 500, last: NOW, reason: "status 503", incarnation: 1 };

/** Returns a view of one process, which runs. */
function viewOf(name: string, lastEvent: number | null): View {
  const status = { ...newStatus(name, NOW - 1000), state: "running", incarnation: 1 } as const;
  const text = formatStatus(status, { thresholdMs: 1000, stderr: [], sha256: null, lastEvent });
  const seen = { ...parseStatus(text)!, text, healths: new Map([["httpcheck", HEALTH]]), fault: null };
  return { now: NOW, isAlive: true, stale: null, monitor: { last_event: 100 }, usage: {}, jobs: [], processes: [seen] };
}

function event(id: number, name: string | null): RecordedEvent {
  return parseRecorded(JSON.stringify({ id, name, at: new Date(NOW).toISOString(), event: "killed" }))!;
}

Deno.test("isStanding() tells the events whose results a view shows from those that came later", () => {
  const stands = isStanding(viewOf("web", 110));
  assertEquals([109, 110, 111].map((id) => stands(event(id, "web"))), [true, true, false]);
  // The monitor was started at 100.
  assertEquals([100, 101].map((id) => stands(event(id, null))), [true, false]);
  // One was forgotten then, and another one is so new that it has no file yet.
  assertEquals([99, 101].map((id) => stands(event(id, "other"))), [true, false]);
  assertEquals(isStanding(viewOf("web", null))(event(1, "web")), false);
});

Deno.test("isStanding() tells the finding of a checker that a view shows from another one", () => {
  const stands = isStanding(viewOf("web", 110));
  const of = (health: Partial<Health>, checker = "httpcheck", name = "web") => {
    return stands(healthEvent(checker, name, { ...HEALTH, ...health }));
  };
  assertEquals(of({}), true);
  assertEquals([of({ isHealthy: true }), of({ since: NOW }), of({}, "beatcheck"), of({}, "httpcheck", "db")], [
    false,
    false,
    false,
    false,
  ]);
  assertEquals(stands(monitorGone(NOW)), false);
});
