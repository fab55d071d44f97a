import { assertEquals } from "@std/assert";
import { denoHost } from "@ncolony/host";
import { sample } from "../core/samples.ts";

Deno.test("Host.spawn() ends the output of a process that cannot be started", () => {
  const told: string[] = [];
  const output = { stdout: () => {}, stderr: () => {}, end: () => void told.push("end") };
  const sink = { leaderExited: () => {}, groupExited: () => {}, warn: () => {} };
  denoHost().spawn(sample("web", { args: ["/nowhere/at/all"] }), output, sink);
  assertEquals(told, ["end"]);
});
