import { requestOf } from "@ncolony/core";
import { assertEquals } from "@std/assert";
import { Restarts } from "../../monitor/restarts.ts";
import { FakeClock } from "./fake_clock.ts";
import { SupervisorWorld } from "./worlds.ts";

Deno.test("Restarts passes on the time of a request only if the restart was postponed", async () => {
  const clock = new FakeClock();
  const restarted: (readonly [number | null, string])[] = [];
  const begin = clock.now();
  const restarts = new Restarts({
    clock,
    restart: (_, { cause }, askedAt) =>
      void restarted.push([askedAt === undefined ? null : askedAt - begin, cause.messages.join()]),
  });
  restarts.ask("web", requestOf("1", {}));
  await clock.advance(300);
  restarts.ask("web", requestOf("2", {}));
  await clock.advance(300);
  restarts.ask("web", requestOf("3", {}));
  await clock.advance(400);
  assertEquals(restarts.due, clock.now());
  restarts.passOn();
  assertEquals(restarted, [[null, "1"], [600, "2,3"]]);
});

Deno.test("Supervisor restarts a process that was added just before the request, however late it processes both", async () => {
  await using world = new SupervisorWorld();
  const added = world.want("web");
  world.post("web", { type: "restart" });
  world.host.clock.work(50);
  await added;
  await world.advance(200);
  assertEquals(world.host.children.started.length, 2);
});
