import { assertEquals } from "@std/assert";
import { historyOf, play, report } from "./history.ts";

const FIRST_SEED = 1;
const HISTORIES = 4000;

Deno.test(`the monitor keeps its promises in ${HISTORIES} random histories from seed ${FIRST_SEED}`, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed++) {
    const broken = await play(historyOf(seed));
    if (broken !== null) throw new Error(await report(seed, broken));
  }
});

Deno.test("historyOf() returns the same history for the same seed", () => {
  assertEquals(historyOf(7), historyOf(7));
  assertEquals(JSON.stringify(historyOf(7)) === JSON.stringify(historyOf(8)), false);
});
