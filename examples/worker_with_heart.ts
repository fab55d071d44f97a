/**
 * A worker with a heart that beatcheck watches. The heart beats as long as the program's event loop runs. Create
 * /run/hearts first.
 *
 *     ncolony-ctl --config CONFIG --messages MESSAGES add worker --cmd deno --arg run --arg --allow-write=/run/hearts \
 *         --arg --allow-read=/run/hearts --arg --allow-env=NCOLONY_CONFIG,NCOLONY_NAME --arg worker_with_heart.ts \
 *         --env-inherit PATH --env-inherit HOME --extras '{"ncolony.beatcheck":{"period":10,"grace":3,"status":"/run/hearts"}}'
 *
 * Run by hand, it works without a heart.
 *
 * First run: deno add jsr:@ncolony/beatcheck
 */

// deno-lint-ignore-file no-console -- a program talks to its user

import { startHeart } from "@ncolony/beatcheck/heart";

using _heart = startHeart();

/** Does the work of one round. */
async function work(round: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  console.log(`round ${round} is done`);
}

for (let round = 1;; round++) await work(round);
