import { assertEquals, assertThrows } from "@std/assert";
import { SpecError } from "@ncolony/core";
import { add } from "@ncolony/ctl";
import { namesIn } from "../cli/tools.ts";
import { tempDir } from "../helpers.ts";

Deno.test("add() rejects an id that is not a number, because the process would run as the monitor's user", () => {
  using dir = tempDir();
  const places = { config: dir.dir("config"), messages: dir.dir("messages") };
  for (const id of [NaN, Infinity, -Infinity]) {
    assertThrows(() => add(places, "web", "cat", [], { uid: id }), SpecError, '"uid"');
    assertThrows(() => add(places, "web", "cat", [], { gid: id }), SpecError, '"gid"');
  }
  assertEquals(namesIn(places.config), []);
});
