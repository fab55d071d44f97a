/**
 * A worker with a heart, which beatcheck watches: it beats as long as the program's event loop turns. Make /run/hearts
 * before.
 *
 *     ncolony-ctl --config CONFIG --messages MESSAGES add worker --cmd deno --arg run --arg --allow-write=/run/hearts \
 *         --arg --allow-read=/run/hearts --arg --allow-env=NCOLONY_CONFIG,NCOLONY_NAME --arg worker_with_heart.ts \
 *         --env-inherit PATH --env-inherit HOME --extras '{"ncolony.beatcheck":{"period":10,"grace":3,"status":"/run/hearts"}}'
 *
 * Run by hand it works all the same, without a heart.
 *
 * Before that: deno add jsr:@ncolony/beatcheck
 */

// deno-lint-ignore-file no-console -- a program talks to its user

import { startHeart } from "@ncolony/beatcheck/heart";

using _heart = startHeart();

/** What the worker is for. */
async function work(round: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  console.log(`round ${round} is done`);
}

for (let round = 1;; round++) await work(round);
