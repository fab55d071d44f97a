import { assertEquals } from "@std/assert";
import { Alarm } from "@ncolony/host";
import { FakeClock } from "../monitor/fake_clock.ts";

/** Sleeps until an instant; gives the instants at which it woke up. */
function sleep(alarm: Alarm, clock: FakeClock, until: number): number[] {
  const wakings: number[] = [];
  alarm.wait(until).then(() => void wakings.push(clock.now()));
  return wakings;
}

Deno.test("Alarm wakes the sleeper at its instant", async () => {
  const clock = new FakeClock();
  const until = clock.now() + 1000;
  const wakings = sleep(new Alarm(clock), clock, until);
  await clock.advance(5000);
  assertEquals(wakings, [until]);
});

Deno.test("Alarm wakes the sleeper when it is rung, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  const alarm = new Alarm(clock);
  const wakings = [sleep(alarm, clock, clock.now() + 1000)];
  await clock.advance(300);
  alarm.ring();
  alarm.ring();
  await clock.settle();
  assertEquals([wakings, clock.waiting], [[[clock.now()]], 0]);
  // Rung twice, it wakes once.
  wakings.push(sleep(alarm, clock, Infinity));
  await clock.advance(5000);
  assertEquals(wakings[1], []);
});

Deno.test("Alarm that was rung before wakes the next sleeper at once", async () => {
  const clock = new FakeClock();
  const alarm = new Alarm(clock);
  alarm.ring();
  const wakings = sleep(alarm, clock, Infinity);
  await clock.settle();
  assertEquals(wakings, [clock.now()]);
});

Deno.test("Alarm lets nobody sleep whose instant has come", async () => {
  const clock = new FakeClock();
  const wakings = sleep(new Alarm(clock), clock, clock.now());
  await clock.settle();
  assertEquals(wakings, [clock.now()]);
});
