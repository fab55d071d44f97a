import { assertEquals, assertThrows } from "@std/assert";
import { MessageError, SpecError } from "@ncolony/core";
import { checker, type ProcessMonitor, Receiver, type Spec } from "@ncolony/monitor";
import { tempDir } from "../helpers.ts";

/** Records its calls, and the environments that it receives. */
class Calls implements ProcessMonitor {
  readonly envs: Record<string, string>[] = [];
  readonly specs: Spec[] = [];
  readonly #calls: string[] = [];

  addProcess(spec: Spec, env: Record<string, string>): void {
    this.#calls.push(`add ${spec.name} ${spec.args.join(" ")}`);
    this.specs.push(spec);
    this.envs.push(env);
  }

  removeProcess(name: string): void {
    this.#calls.push(`remove ${name}`);
  }

  stopProcess(name: string): void {
    this.#calls.push(`stop ${name}`);
  }

  restartAll(): void {
    this.#calls.push("restart all");
  }

  /** Returns the calls since the previous `take()`. */
  take(): string[] {
    return this.#calls.splice(0);
  }
}

function receiverOf(environ: Record<string, string> = {}): { calls: Calls; receiver: Receiver } {
  const calls = new Calls();
  return { calls, receiver: new Receiver(calls, (name) => environ[name]) };
}

Deno.test("Receiver adds the process of a config, with its exact environment", () => {
  const { calls, receiver } = receiverOf({ HOME: "/root", TOKEN: "t" });
  const text = '{"args": ["httpd", "-f"], "env": {"A": "1", "HOME": "/x"}, "env_inherit": ["HOME", "NONE"], "uid": 33}';
  receiver.add("web", text);
  assertEquals(calls.take(), ["add web httpd -f"]);
  assertEquals(calls.envs, [{ A: "1", HOME: "/root", NONE: "", NCOLONY_NAME: "web", NCOLONY_CONFIG: text }]);
  assertEquals([calls.specs[0]?.source, calls.specs[0]?.uid], [text, 33]);
});

Deno.test("Receiver ignores unknown keys", () => {
  const { calls, receiver } = receiverOf();
  receiver.add("web", '{"args": ["a"], "ncolony.beatcheck": {"period": 1}, "x": [null], "__proto__": 1}');
  assertEquals(calls.take(), ["add web a"]);
});

Deno.test("Receiver looks up variables in this program's environment by default", () => {
  const calls = new Calls();
  Deno.env.set("NCOLONY_TEST_RECEIVER", "here");
  try {
    new Receiver(calls).add("web", '{"args": ["a"], "env_inherit": ["NCOLONY_TEST_RECEIVER"]}');
  } finally {
    Deno.env.delete("NCOLONY_TEST_RECEIVER");
  }
  assertEquals(calls.envs[0]?.NCOLONY_TEST_RECEIVER, "here");
});

Deno.test("Receiver throws on an invalid config, and makes no call", () => {
  const { calls, receiver } = receiverOf();
  const error = assertThrows(() => receiver.add("web", '{"args": 3}'), SpecError);
  assertEquals([error.file, error.field], ["web", "args"]);
  assertThrows(() => receiver.add("web", "{"), SpecError);
  assertThrows(() => receiver.add("../web", '{"args": ["a"]}'), SpecError);
  receiver.remove("web");
  assertEquals(calls.take(), []);
});

Deno.test("Receiver removes only the processes that it has added", () => {
  const { calls, receiver } = receiverOf();
  receiver.remove("web");
  receiver.add("web", '{"args": ["a"]}');
  receiver.remove("web");
  receiver.remove("web");
  assertEquals(calls.take(), ["add web a", "remove web"]);
});

Deno.test("Receiver does not add a disabled process", () => {
  const { calls, receiver } = receiverOf();
  receiver.add("web", '{"args": ["a"], "ncolony.monitor": {"enabled": false}}');
  receiver.message('{"type": "RESTART", "name": "web"}');
  receiver.remove("web");
  assertEquals(calls.take(), []);
});

Deno.test("Receiver stops the processes that a message names, and ignores unknown ones", () => {
  const { calls, receiver } = receiverOf();
  receiver.add("web", '{"args": ["a"], "group": ["front", "all"]}');
  receiver.add("db", '{"args": ["b"], "group": ["all"]}');
  calls.take();
  receiver.message('{"type": "RESTART", "name": "web"}');
  receiver.message('{"type": "restart", "value": "db"}');
  receiver.message('{"type": "RESTART", "name": "job"}');
  assertEquals(calls.take(), ["stop web", "stop db"]);
  receiver.message('{"type": "RESTART-GROUP", "group": "front"}');
  assertEquals(calls.take(), ["stop web"]);
  receiver.message('{"type": "RESTART-GROUP", "group": "all"}');
  receiver.message('{"type": "RESTART-GROUP", "group": "none"}');
  assertEquals(calls.take(), ["stop web", "stop db"]);
  receiver.message('{"type": "RESTART-ALL"}');
  assertEquals(calls.take(), ["restart all"]);
  receiver.remove("web");
  receiver.message('{"type": "RESTART", "name": "web"}');
  assertEquals(calls.take(), ["remove web"]);
});

Deno.test("Receiver throws on an invalid message, and makes no call", () => {
  const { calls, receiver } = receiverOf();
  for (const text of ["", "{", "[]", "{}", '{"type": "STOP", "name": "web"}', '{"type": "RESTART", "name": 3}']) {
    assertThrows(() => receiver.message(text), MessageError);
  }
  assertEquals(calls.take(), []);
});

Deno.test("Receiver removes, then adds a process whose changed config checker() reports", async () => {
  using dir = tempDir();
  const { calls, receiver } = receiverOf();
  const check = checker(dir.path, receiver);
  dir.write("web", '{"args": ["a"]}');
  await check();
  dir.write("web", '{"args": ["b"]}');
  await check();
  assertEquals(calls.take(), ["add web a", "remove web", "add web b"]);
  // The process was removed when its config was disabled, so it is not removed again with the config.
  dir.write("web", '{"args": ["b"], "ncolony.monitor": {"enabled": false}}');
  await check();
  Deno.removeSync(dir.file("web"));
  await check();
  assertEquals(calls.take(), ["remove web"]);
});
