import { assertEquals } from "@std/assert";
import { Inbox } from "../../monitor/inbox.ts";
import { FakeClock } from "./fake_clock.ts";

/** An inbox whose consumer takes so long for each item, and what becomes of those. */
class World {
  readonly clock = new FakeClock();
  readonly journal: string[] = [];
  costMs = 0;
  /** What is done while an item is taken. */
  onTake: (item: string) => void = () => {};
  readonly inbox = new Inbox<string>({
    clock: this.clock,
    take: (item) => {
      this.journal.push(item);
      this.clock.work(this.costMs);
      this.onTake(item);
      this.journal.push(`${item}.`);
    },
    pause: () => void this.journal.push("pause"),
  });

  /** Takes what was posted, rests until something more is, and so on. */
  async run(): Promise<never> {
    for (;;) {
      await this.inbox.takeAll(() => void this.journal.push("resume"));
      await this.inbox.rest(Infinity);
    }
  }

  post(...items: string[]): void {
    for (const item of items) this.inbox.post(item);
  }

  /** What happened since this was last called. */
  take(): string {
    return this.journal.splice(0).join(" ");
  }
}

/** One whose consumer rests. */
async function resting(): Promise<World> {
  const world = new World();
  world.run();
  await world.clock.settle();
  world.take();
  return world;
}

Deno.test("Inbox has an item taken at once while its consumer rests, and pauses after it", async () => {
  const world = await resting();
  world.post("a");
  assertEquals(world.take(), "a a.");
  world.post("b");
  assertEquals(world.take(), "b b.");
  await world.clock.settle();
  assertEquals(world.take(), "pause");
});

Deno.test("Inbox keeps what is posted before there is a consumer", async () => {
  const world = new World();
  world.post("a", "b");
  assertEquals(world.take(), "");
  world.run();
  await world.clock.settle();
  assertEquals(world.take(), "a a. b b. pause");
});

Deno.test("Inbox has an item that is posted from within taken after the one that is being taken", async () => {
  const world = await resting();
  world.onTake = (item) => item.length < 3 && world.post(`${item}1`, `${item}2`);
  world.post("a");
  assertEquals(world.take(), "a a. a1 a1. a2 a2. a11 a11. a12 a12. a21 a21. a22 a22.");
});

Deno.test("Inbox lets others have their turn after 10 ms, also while its consumer rests, and keeps the order", async () => {
  const world = await resting();
  world.costMs = 4;
  world.post("a", "b", "c", "d");
  assertEquals(world.take(), "a a. b b. c c.", "others have waited for 12 ms by then");
  await world.clock.settle();
  assertEquals(world.take(), "d d. pause");
  world.post("a", "b", "c", "d", "e", "f", "g", "h");
  world.clock.holdsYields = true;
  await world.clock.settle();
  assertEquals(world.take(), "a a. b b. c c. d d. e e. f f. pause");
  world.post("i");
  assertEquals(world.take(), "", "its consumer does not rest, but gave way");
  world.clock.holdsYields = false;
  await world.clock.settle();
  assertEquals(world.take(), "resume g g. h h. i i. pause");
});

Deno.test("Inbox does not rest where something was posted since all was taken", async () => {
  const { clock, inbox, journal } = new World();
  await inbox.takeAll(() => {});
  inbox.post("a");
  let isOver = false;
  inbox.rest(Infinity).then(() => isOver = true);
  await clock.settle();
  assertEquals([isOver, journal], [true, ["pause"]]);
});

Deno.test("Inbox begins a turn with each rest", async () => {
  const world = await resting();
  world.costMs = 11;
  for (const item of ["a", "b", "c"]) {
    world.post(item);
    assertEquals(world.take(), `${item} ${item}.`);
    await world.clock.settle();
    assertEquals(world.take(), "pause");
    await world.clock.advance(1000);
  }
});

Deno.test("Inbox ends the rest at an instant, or when it is rung", async () => {
  const { clock, inbox } = new World();
  let ends = 0;
  inbox.rest(clock.now() + 100).then(() => ends++);
  await clock.advance(99);
  assertEquals(ends, 0);
  await clock.advance(1);
  assertEquals(ends, 1);
  inbox.rest(Infinity).then(() => ends++);
  inbox.ring();
  await clock.settle();
  assertEquals(ends, 2);
});
