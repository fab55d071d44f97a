import { assertEquals } from "@std/assert";
import { listenToSignals, signalName, signalNumber } from "@ncolony/host";
import { constants } from "node:os";
import { until } from "../helpers.ts";

// By default, both have no effect.
const SIGNALS: readonly Deno.Signal[] = ["SIGWINCH", "SIGURG"];

Deno.test("listenToSignals() reports each signal until it is disposed", async () => {
  const heard: Deno.Signal[] = [];
  const after: string[] = [];
  {
    using _listening = listenToSignals(SIGNALS, (signal) => heard.push(signal));
    for (const signal of SIGNALS) {
      Deno.kill(Deno.pid, signal);
      await until(`${signal} is heard`, () => heard.includes(signal));
    }
  }
  using _listening = listenToSignals(SIGNALS, (signal) => after.push(signal));
  for (const signal of SIGNALS) Deno.kill(Deno.pid, signal);
  await until("both are heard", () => after.length === 2);
  assertEquals(heard, [...SIGNALS]);
});

Deno.test("listenToSignals() reports a signal to every listener", async () => {
  const heard = new Set<string>();
  using _one = listenToSignals(["SIGWINCH"], () => heard.add("one"));
  using _two = listenToSignals(["SIGWINCH"], () => heard.add("two"));
  Deno.kill(Deno.pid, "SIGWINCH");
  await until("both have heard it", () => heard.size === 2);
});

Deno.test("signalNumber() and signalName() know this system's names of signals", () => {
  // Deno uses other names for these numbers.
  const aliases = ["SIGIOT", "SIGPOLL", "SIGUNUSED"];
  for (const [name, number] of Object.entries(constants.signals).filter(([name]) => !aliases.includes(name))) {
    assertEquals([name, signalNumber(name), signalName(number)], [name, number, name as Deno.Signal]);
  }
  assertEquals([signalNumber("SIGNONE"), signalNumber("signal 35"), signalName(0)], [0, 35, undefined]);
});
