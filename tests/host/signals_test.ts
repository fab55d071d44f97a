import { assertEquals } from "@std/assert";
import { listenToSignals, signalName, signalNumber } from "@ncolony/host";
import { constants } from "node:os";
import { until } from "../helpers.ts";

// Both do nothing where nobody listens.
const SIGNALS: readonly Deno.Signal[] = ["SIGWINCH", "SIGURG"];

Deno.test("listenToSignals() tells each signal, until it is ended", async () => {
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

Deno.test("listenToSignals() tells every listener", async () => {
  const heard = new Set<string>();
  using _one = listenToSignals(["SIGWINCH"], () => heard.add("one"));
  using _two = listenToSignals(["SIGWINCH"], () => heard.add("two"));
  Deno.kill(Deno.pid, "SIGWINCH");
  await until("both have heard it", () => heard.size === 2);
});

Deno.test("signalNumber() and signalName() know what this system calls its signals", () => {
  // Of two names for one number Deno takes others.
  const aliases = ["SIGIOT", "SIGPOLL", "SIGUNUSED"];
  for (const [name, number] of Object.entries(constants.signals).filter(([name]) => !aliases.includes(name))) {
    assertEquals([name, signalNumber(name), signalName(number)], [name, number, name as Deno.Signal]);
  }
  assertEquals([signalNumber("SIGNONE"), signalNumber("signal 35"), signalName(0)], [0, 35, undefined]);
});
