import { assertEquals } from "@std/assert";
import { Waker } from "@ncolony/host";
import { FakeClock } from "../monitor/fake_clock.ts";

/** Sleeps until an instant. Returns the instants at which the sleep ended. */
function sleep(alarm: Waker, clock: FakeClock, until: number): number[] {
  const wakings: number[] = [];
  alarm.wait(until).then(() => void wakings.push(clock.now()));
  return wakings;
}

Deno.test("Waker.wait() resolves at its instant", async () => {
  const clock = new FakeClock();
  const until = clock.now() + 1000;
  const wakings = sleep(new Waker(clock), clock, until);
  await clock.advance(5000);
  assertEquals(wakings, [until]);
});

Deno.test("Waker.wake() ends a wait early, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  const alarm = new Waker(clock);
  const wakings = [sleep(alarm, clock, clock.now() + 1000)];
  await clock.advance(300);
  alarm.wake();
  alarm.wake();
  await clock.settle();
  assertEquals([wakings, clock.waiting], [[[clock.now()]], 0]);
  // Two calls of wake() end only one wait.
  wakings.push(sleep(alarm, clock, Infinity));
  await clock.advance(5000);
  assertEquals(wakings[1], []);
});

Deno.test("Waker.wake() without a wait ends the next one at once", async () => {
  const clock = new FakeClock();
  const alarm = new Waker(clock);
  alarm.wake();
  const wakings = sleep(alarm, clock, Infinity);
  await clock.settle();
  assertEquals(wakings, [clock.now()]);
});

Deno.test("Waker.wait() resolves at once if its instant has come", async () => {
  const clock = new FakeClock();
  const wakings = sleep(new Waker(clock), clock, clock.now());
  await clock.settle();
  assertEquals(wakings, [clock.now()]);
});
