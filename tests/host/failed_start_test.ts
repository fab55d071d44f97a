import { assertEquals } from "@std/assert";
import { parseSpec } from "@ncolony/core";
import { denoHost } from "@ncolony/host";

Deno.test("spawn() ends the output of a child that cannot be started, so that nothing waits for it", () => {
  let ends = 0;
  const told: string[] = [];
  const child = denoHost().spawn(
    parseSpec("web", '{"args": ["ncolony-has-no-such-command"]}'),
    { stdout: () => {}, stderr: () => {}, end: () => void ends++ },
    {
      leaderExited: ({ type }) => void told.push(type),
      groupExited: () => void told.push("group-exited"),
      warn: (message) => void told.push(message),
    },
  );
  assertEquals([child, told, ends], [null, ["failed", "group-exited"], 1]);
});
