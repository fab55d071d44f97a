/** Attacks by a neighbour who may change what a config points to: its command, or its heart. */

import { assertEquals } from "@std/assert";
import { check } from "@ncolony/beatcheck";
import { maybeBeat } from "@ncolony/beatcheck/heart";
import { until } from "../helpers.ts";
import { neighbourTest, Place } from "./neighbour.ts";

/** The neighbour's command, which records the user that runs it. */
const TOOL = '#!/bin/sh\nid -u > "$MARK"\nexec sleep 1000\n';

for (
  const [what, command, PATH] of [
    ["a bare command is found in each directory of its PATH", "tool", "/nowhere:HOME:/usr/bin:/bin"],
    ["a bare command is found in its cwd where its PATH has an empty directory", "tool", "/usr/bin::/bin"],
    ["a relative command is found in its cwd", "./tool", "/usr/bin:/bin"],
  ] as const
) {
  neighbourTest(`${what}, even if a neighbour put it there`, async () => {
    await using place = new Place();
    const mark = place.file("mark");
    await place.attack(`printf '%s' '${TOOL}' > "$1/home/tool" && chmod 755 "$1/home/tool"`);
    const config = place.make("config");
    const env = { PATH: PATH.replace("HOME", place.home), MARK: mark };
    place.write("config/web", JSON.stringify({ args: [command], env, "ncolony.monitor": { cwd: place.home } }));
    const monitor = place.monitor(["--config", config, "--messages", place.make("messages")]);
    await monitor.waitFor(/web: gone -> running/);
    assertEquals(await until("it ran", () => textOf(mark)), "0\n");
  });
}

neighbourTest(
  "in a shared hearts directory, each user can beat for another, and stop another's heart",
  async () => {
    await using place = new Place();
    const hearts = place.make("hearts", 0o777);
    const config = place.make("config");
    const beat = { period: 1, grace: 1, status: hearts };
    place.write("config/web", JSON.stringify({ args: ["cat"], "ncolony.beatcheck": beat }));
    const later = Date.now() + 60_000;
    const silent = () => check(config, 0, later);
    assertEquals(await silent(), ["web"]);
    await place.attack(`touch -d '@${later / 1000}' "$1/hearts/web"`);
    assertEquals(await silent(), []);
    Deno.removeSync(place.file("hearts", "web"));
    place.write("hearts/web", "");
    Deno.utimeSync(place.file("hearts", "web"), new Date(later), new Date(later));
    assertEquals(await silent(), []);
    await place.attack(`rm -f "$1/hearts/web"`);
    assertEquals(await silent(), ["web"]);
    // Root's heart follows a symlink, and sets the times of its target.
    const secret = place.write("secret", "root's own");
    Deno.utimeSync(secret, 0, 0);
    await place.attack(`ln -s "$1/secret" "$1/hearts/web"`);
    const source = Deno.readTextFileSync(`${config}/web`);
    maybeBeat({ environ: (name) => ({ NCOLONY_NAME: "web", NCOLONY_CONFIG: source })[name] });
    assertEquals([Deno.statSync(secret).mtime!.getTime() > 0, Deno.readTextFileSync(secret)], [true, "root's own"]);
    await place.attack(`rm -f "$1/hearts/web"`);
    // In a directory that only root may write to, the neighbour can do nothing.
    Deno.chmodSync(hearts, 0o755);
    await place.attack(`touch -d '@${later / 1000}' "$1/hearts/web"`);
    assertEquals(await silent(), ["web"]);
  },
);

function textOf(path: string): string | null {
  try {
    return Deno.readTextFileSync(path) || null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
