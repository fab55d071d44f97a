import { assertEquals } from "@std/assert";
import { EventQueue } from "@ncolony/host";
import { FakeClock } from "../monitor/fake_clock.ts";

/** A queue with a consumer that needs a given time for each item, and the items that it took. */
class World {
  readonly clock = new FakeClock();
  readonly queue = new EventQueue<string>(this.clock);
  readonly journal: (string | null)[] = [];
  costMs = 0;
  until = Infinity;
  /** Called for each item that is taken. */
  onTake: (item: string) => void = () => {};

  async run(): Promise<never> {
    for (;;) {
      const item = await this.queue.next(() => this.until);
      this.journal.push(item);
      if (item === null) continue;
      this.clock.work(this.costMs);
      this.onTake(item);
    }
  }

  post(...items: string[]): void {
    for (const item of items) this.queue.post(item);
  }

  /** Returns what the consumer was given since the last call, once everything has settled. */
  async take(): Promise<(string | null)[]> {
    await this.clock.settle();
    return this.journal.splice(0);
  }

  /** Returns only the items of {@linkcode take}. */
  async items(): Promise<string> {
    return (await this.take()).filter((item) => item !== null).join(" ");
  }
}

/** Returns a world whose consumer is waiting. */
async function waiting(): Promise<World> {
  const world = new World();
  world.run();
  await world.take();
  return world;
}

Deno.test("EventQueue delivers nothing within post(), and everything in order after it", async () => {
  const world = await waiting();
  world.post("a", "b");
  assertEquals(world.journal, []);
  assertEquals(await world.items(), "a b");
  world.post("c");
  assertEquals(await world.items(), "c");
});

Deno.test("EventQueue keeps items that are posted before there is a consumer", async () => {
  const world = new World();
  world.post("a", "b");
  world.run();
  assertEquals(await world.items(), "a b");
});

Deno.test("EventQueue delivers items that are posted meanwhile after all earlier ones", async () => {
  const world = await waiting();
  world.onTake = (item) => item.length < 3 && world.post(`${item}1`, `${item}2`);
  world.post("a", "b");
  assertEquals(await world.items(), "a b a1 a2 b1 b2 a11 a12 a21 a22 b11 b12 b21 b22");
});

Deno.test("EventQueue delivers urgent items first, in their own order", async () => {
  const world = await waiting();
  world.post("a");
  world.queue.postUrgent(["b"]);
  world.queue.postUrgent(["c", "d"]);
  assertEquals(await world.items(), "b c d a");
});

Deno.test("EventQueue.postUrgent() without items ends the wait", async () => {
  const world = await waiting();
  world.queue.postUrgent([]);
  assertEquals(await world.take(), [null]);
});

Deno.test("EventQueue delivers null at the deadline, and not before", async () => {
  const world = await waiting();
  world.until = world.clock.now() + 100;
  world.post("a");
  await world.take();
  await world.clock.advance(99);
  assertEquals(await world.take(), []);
  world.until = Infinity;
  await world.clock.advance(1);
  assertEquals(await world.take(), [null]);
});

Deno.test("EventQueue yields every 10 ms, and tells its consumer that time has passed", async () => {
  const world = await waiting();
  world.costMs = 4;
  world.post("a", "b", "c", "d", "e");
  const { yields } = world.clock;
  assertEquals((await world.take()).slice(0, 6), [null, "a", "b", "c", null, "d"]);
  assertEquals(world.clock.yields - yields, 1);
});

Deno.test("EventQueue delivers urgent items after a yield that has begun", async () => {
  const world = await waiting();
  world.costMs = 4;
  world.clock.holdsYields = true;
  world.post("a", "b", "c", "d", "e");
  assertEquals(await world.items(), "a b c");
  world.queue.postUrgent(["x"]);
  world.clock.holdsYields = false;
  assertEquals(await world.items(), "x d e");
});
