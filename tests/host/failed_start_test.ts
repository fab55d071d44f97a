import { assertEquals } from "@std/assert";
import { parseSpec } from "@ncolony/core";
import { denoHost } from "@ncolony/host";

Deno.test("a child that cannot be started ends its output, so that nobody waits for it at the end", () => {
  let ends = 0;
  const told: string[] = [];
  const child = denoHost().spawn(
    parseSpec("web", '{"args": ["ncolony-has-no-such-command"]}'),
    { stdout: () => {}, stderr: () => {}, end: () => void ends++ },
    {
      exited: ({ type }) => void told.push(type),
      emptied: () => void told.push("emptied"),
      warn: (message) => void told.push(message),
    },
  );
  assertEquals([child, told, ends], [null, ["failed", "emptied"], 1]);
});
