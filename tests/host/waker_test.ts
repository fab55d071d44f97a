import { assertEquals } from "@std/assert";
import { Waker } from "@ncolony/host";
import { FakeClock } from "../monitor/fake_clock.ts";

/** Sleeps until an instant; gives the instants at which it woke up. */
function sleep(alarm: Waker, clock: FakeClock, until: number): number[] {
  const wakings: number[] = [];
  alarm.wait(until).then(() => void wakings.push(clock.now()));
  return wakings;
}

Deno.test("Waker wakes the sleeper at its instant", async () => {
  const clock = new FakeClock();
  const until = clock.now() + 1000;
  const wakings = sleep(new Waker(clock), clock, until);
  await clock.advance(5000);
  assertEquals(wakings, [until]);
});

Deno.test("Waker wakes the sleeper when it is rung, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  const alarm = new Waker(clock);
  const wakings = [sleep(alarm, clock, clock.now() + 1000)];
  await clock.advance(300);
  alarm.wake();
  alarm.wake();
  await clock.settle();
  assertEquals([wakings, clock.waiting], [[[clock.now()]], 0]);
  // Rung twice, it wakes once.
  wakings.push(sleep(alarm, clock, Infinity));
  await clock.advance(5000);
  assertEquals(wakings[1], []);
});

Deno.test("Waker that was rung before wakes the next sleeper at once", async () => {
  const clock = new FakeClock();
  const alarm = new Waker(clock);
  alarm.wake();
  const wakings = sleep(alarm, clock, Infinity);
  await clock.settle();
  assertEquals(wakings, [clock.now()]);
});

Deno.test("Waker lets nobody sleep whose instant has come", async () => {
  const clock = new FakeClock();
  const wakings = sleep(new Waker(clock), clock, clock.now());
  await clock.settle();
  assertEquals(wakings, [clock.now()]);
});
