/** `deno task rotations`: follows a log over more than 1,000 rotations. It is not part of the suite. */

import { followRotations } from "./rotating.ts";

Deno.test("ctl logs -f loses no line and shows none twice over 1,000 rotations", async () => {
  await followRotations(1200, 40);
});
