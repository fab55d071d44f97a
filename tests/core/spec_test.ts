import { assert, assertEquals, assertThrows } from "@std/assert";
import { MAX_CONFIG_BYTES, MAX_ID, parseSpec, SpecError, STOP_SIGNALS } from "@ncolony/core";

/** An array of strings that the kernel cannot pass to a process. */
const NUL = '["a\\u0000"]';

/** Every key of the monitor, and some others. */
const FULL = {
  args: ["httpd", "-f", ""],
  env: { PORT: "8080", EMPTY: "" },
  env_inherit: ["HOME", "PATH"],
  uid: 1000,
  gid: 0,
  group: ["eu", ""],
  "ncolony.monitor": {
    cwd: "/srv",
    stop_signal: "SIGINT",
    kill_time: 0.25,
    kill_scope: "process",
    limits: { memory: "512M", cpu: 1.5, pids: 200 },
    log: { size: 4096, keep: 0 },
    enabled: false,
  },
  "ncolony.beatcheck": { period: 5 },
  comment: null,
};

/** For each field: a config with ? in place of its value, a valid value, and invalid values, as JSON. */
const VALUES: Record<string, readonly [config: string, right: string, ...wrong: string[]]> = {
  "args": ['{"args":?}', '["a"]', "null", "true", "3", '"a"', "{}", "[]", '[""]', "[3]", '["a",null]', '[["a"]]', NUL],
  "env": ['{"args":["a"],"env":?}', "{}", "null", "true", "3", '"A=1"', "[]", '["A=1"]'],
  "env.A": ['{"args":["a"],"env":{"A":?}}', '""', "null", "true", "3", "[]", "{}", '"\\u0000"', '"\\udc00"'],
  "env_inherit": ['{"args":["a"],"env_inherit":?}', '["A"]', "true", "3", '"A"', "{}", "[3]", '[""]', '["A=B"]', NUL],
  "group": ['{"args":["a"],"group":?}', '["", "a"]', "true", "3", '"a"', "{}", "[3]", "[null]", '[["a"]]', NUL],
  "uid": ['{"args":["a"],"uid":?}', "1.0", "true", '"0"', "[]", "{}", "-1", "0.5", "4294967295", "1e400"],
  "gid": ['{"args":["a"],"gid":?}', "1e3", "true", '"0"', "[]", "{}", "-1", "0.5", "4294967295", "1e400"],
  "ncolony.monitor": ['{"args":["a"],"ncolony.monitor":?}', "{}", "null", "true", "3", '"cwd"', "[]"],
  "ncolony.monitor.cwd": [own("cwd"), '"/"', "null", "true", "3", "[]", "{}", '""', '"srv"', '"~/srv"', '"/\\u0000"'],
  "ncolony.monitor.stop_signal": [own("stop_signal"), '"SIGINT"', "null", "15", "[]", '""', '"TERM"', '"SIGSTOP"'],
  "ncolony.monitor.kill_time": [own("kill_time"), "0.5", "null", "true", '"5"', "[]", "-0.1", "1000000000.5", "1e400"],
  "ncolony.monitor.log": [own("log"), "false", "true", "3", '"no"', "[]"],
  "ncolony.monitor.log.size": [own("log", '{"size":?}'), "4096", "null", "false", "4095", "4096.5", "1e13", '"10M"'],
  "ncolony.monitor.log.keep": [own("log", '{"keep":?}'), "0", "null", "false", "-1", "0.5", "1001", '"3"'],
  "ncolony.monitor.kill_scope": [own("kill_scope"), '"group"', "null", "true", "3", "[]", "{}", '"leader"', '"Group"'],
  "ncolony.monitor.daemonizes": [own("daemonizes"), "true", "null", "0", "1", "[]", "{}", '"true"'],
  "ncolony.monitor.limits": [own("limits"), "{}", "true", "3", '"512M"', "[]"],
  "ncolony.monitor.limits.memory": [
    own("limits", '{"memory":?}'),
    '"512M"',
    "null",
    "true",
    "1000",
    "262144.5",
    "1e16",
    '"512"',
    '"512MB"',
    '"lots"',
    '"-1M"',
    "[]",
  ],
  "ncolony.monitor.limits.cpu": [own("limits", '{"cpu":?}'), "1.5", "null", "true", '"1.5"', "0", "-1", "1e5", "[]"],
  "ncolony.monitor.limits.pids": [own("limits", '{"pids":?}'), "200", "null", "true", '"200"', "0", "1.5", "1e9"],
  "ncolony.monitor.enabled": [own("enabled"), "false", "null", "0", "1", "[]", "{}", '"true"'],
};

for (const [field, [config, right, ...wrong]] of Object.entries(VALUES)) {
  Deno.test(`parseSpec() rejects ${field} if its type or value is invalid`, () => {
    parseSpec("web", config.replace("?", right));
    for (const value of wrong) {
      const error = refusal(config.replace("?", value));
      assertEquals([error.file, error.field], ["web", field], value);
      assertEquals(error.message, `Cannot parse config "web": ${error.reason}`);
      assert(error.reason.startsWith(`"${field}" must be `), error.reason);
    }
  });
}

Deno.test("parseSpec() rejects a key of env that cannot name a variable, without showing it", () => {
  for (const key of ['""', '"A=hunter2"', '"A\\u0000"', '"\\ud800"']) {
    const { field, reason } = refusal(`{"args":["a"],"env":{${key}:"value"}}`);
    assertEquals([field, reason], ["env", '"env" has a key that is not a valid variable name']);
  }
});

Deno.test("parseSpec() rejects daemonizes with a kill scope in which a program in the background cannot be found", () => {
  for (const [scope, isRight] of [["process", false], ["group", false], ["session", false], ["cgroup", true]]) {
    const source = JSON.stringify({
      args: ["a"],
      "ncolony.monitor": { daemonizes: true, kill_scope: scope },
    });
    if (isRight) assert(parseSpec("web", source).daemonizes);
    else assertEquals(refusal(source).field, "ncolony.monitor.daemonizes");
  }
});

Deno.test("parseSpec() fills in the defaults", () => {
  const source = '{"args": ["true"]}';
  assertEquals(parseSpec("web", source), {
    name: "web",
    source,
    args: ["true"],
    env: {},
    envInherit: [],
    groups: [],
    surroundings: {},
    stopSignal: "SIGTERM",
    killScope: "all",
    daemonizes: false,
    limits: {},
    log: {},
    enabled: true,
  });
});

Deno.test("parseSpec() reads every key of the monitor and ignores all others", () => {
  const source = JSON.stringify(FULL);
  assertEquals(parseSpec("web", source), {
    name: "web",
    source,
    args: ["httpd", "-f", ""],
    env: { PORT: "8080", EMPTY: "" },
    envInherit: ["HOME", "PATH"],
    uid: 1000,
    gid: 0,
    groups: ["eu", ""],
    cwd: "/srv",
    surroundings: {},
    stopSignal: "SIGINT",
    killTimeMs: 250,
    killScope: "process",
    daemonizes: false,
    limits: { memoryBytes: 536_870_912, cpus: 1.5, pids: 200 },
    log: { maxBytes: 4096, keep: 0 },
    enabled: false,
  });
});

Deno.test("parseSpec() accepts numbers up to and including their limits", () => {
  const limits = { uid: MAX_ID, gid: 0, "ncolony.monitor": { kill_time: 1e9 } };
  const { uid, gid, killTimeMs } = parseSpec("web", JSON.stringify({ args: ["a"], ...limits }));
  assertEquals([uid, gid, killTimeMs], [4_294_967_294, 0, 1e12]);
  assertEquals(parseSpec("web", '{"args":["a"],"ncolony.monitor":{"kill_time":0}}').killTimeMs, 0);
});

Deno.test("parseSpec() treats a uid or gid of null, which Python writes for None, as absent", () => {
  const spec = parseSpec("web", '{"args":["a"],"uid":null,"gid":null}');
  assertEquals([Object.hasOwn(spec, "uid"), Object.hasOwn(spec, "gid")], [false, false]);
});

Deno.test("parseSpec() accepts every stop signal in STOP_SIGNALS", () => {
  for (const stopSignal of STOP_SIGNALS) {
    const source = JSON.stringify({ args: ["a"], "ncolony.monitor": { stop_signal: stopSignal } });
    assertEquals(parseSpec("web", source).stopSignal, stopSignal);
  }
});

Deno.test("parseSpec() rejects an unknown key of ncolony.monitor", () => {
  for (const key of ["kill-time", "stopSignal", "Enabled", "__proto__", "constructor", ""]) {
    const error = refusal(`{"args":["a"],"ncolony.monitor":{${JSON.stringify(key)}:true}}`);
    assertEquals(error.field, `ncolony.monitor.${key}`);
  }
});

Deno.test("parseSpec() rejects a config without args", () => {
  assertEquals(refusal("{}").field, "args");
  assertEquals(refusal('{"__proto__":{"args":["a"]}}').field, "args");
});

Deno.test("parseSpec() rejects anything but a JSON object, and names the place or the type", () => {
  const reasons = new Map([
    ["", "invalid JSON at line 1, column 1: the file is empty"],
    ['{\n  "args": ["a"],\n}', "invalid JSON at line 3, column 1: there must be no comma before the }"],
    ['\ufeff{"args":["a"]}', "begins with a byte order mark, which is not JSON"],
    ["[]", "must be a JSON object: got an empty array"],
    ['["args"]', "must be a JSON object: got an array"],
    ["null", "must be a JSON object: got null"],
    ["3", "must be a JSON object: got a number"],
    ['"args"', "must be a JSON object: got a string"],
    ["true", "must be a JSON object: got a boolean"],
  ]);
  for (const [source, reason] of reasons) {
    const error = refusal(source);
    assertEquals([error.field, error.reason], [null, reason]);
  }
});

Deno.test("parseSpec() rejects a name that the monitor would not read", () => {
  for (const name of ["", ".web", "web.new", "a/b", "a\nb"]) {
    const error = assertThrows(() => parseSpec(name, '{"args":["a"]}'), SpecError);
    assertEquals([error.file, error.field], [name, null]);
  }
});

Deno.test("parseSpec() uses the last of several equal keys", () => {
  assertEquals(parseSpec("web", '{"args":3,"args":["a"],"args":["b"]}').args, ["b"]);
  assertEquals(parseSpec("web", '{"args":["a"],"env":{"A":"1","A":"2"}}').env, { A: "2" });
});

Deno.test("parseSpec() treats __proto__ as a key like any other", () => {
  const spec = parseSpec("web", '{"args":["a"],"__proto__":{"uid":5,"enabled":3},"env":{"__proto__":"x"}}');
  assertEquals(spec.uid, undefined);
  assertEquals(Object.entries(spec.env), [["__proto__", "x"]]);
  assertEquals(Object.getPrototypeOf(spec), Object.prototype);
});

Deno.test("parseSpec() accepts or rejects 100,000 nested brackets", () => {
  assertEquals(refusal("[".repeat(100_000)).reason, "invalid JSON at line 1, column 100001: a ] is missing at the end");
  assertEquals(refusal("[".repeat(50_000) + "]".repeat(50_000)).reason, "must be a JSON object: got an array");
  assertEquals(
    refusal('{"a":'.repeat(20_000)).reason,
    "invalid JSON at line 1, column 100001: a } is missing at the end",
  );
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  assertEquals(parseSpec("web", `{"args":["a"],"extra":${deep}}`).args, ["a"]);
  assertEquals(refusal(`{"args":${deep}}`).field, "args");
});

Deno.test("parseSpec() accepts as many bytes as fit into one environment variable", () => {
  assertEquals("NCOLONY_CONFIG=".length + MAX_CONFIG_BYTES + 1, 131_072);
});

for (
  const [what, ...fillings] of [
    ["characters of 1 byte", "a", "\x7f"],
    ["characters of 2 bytes", "\x80", "é", "\u07ff"],
    ["characters of 3 bytes", "\u0800", "€", "\ud7ff", "\ue000", "\uffff"],
    ["surrogate pairs", "\u{10000}", "😀", "\u{10ffff}"],
    ["all kinds of characters", "aé€😀", "😀a", "é" + "a".repeat(100_000)],
  ] as const
) {
  Deno.test(`parseSpec() accepts exactly ${MAX_CONFIG_BYTES} bytes of ${what} in UTF-8, and not one more`, () => {
    for (const filling of fillings) {
      const source = configOfBytes(MAX_CONFIG_BYTES, filling);
      assertEquals(parseSpec("web", source).source, source);
      const error = refusal(configOfBytes(MAX_CONFIG_BYTES + 1, filling));
      assertEquals(error.reason, `must be at most ${MAX_CONFIG_BYTES} bytes`);
    }
  });
}

Deno.test("parseSpec() shows no value of args, env or an unknown key, whatever is invalid", () => {
  const values = [
    '"hunter2"',
    '["hunter2"]',
    '[["hunter2"]]',
    '{"A":["hunter2"]}',
    '["hunter2\\u0000"]',
    '["hunter2",3]',
  ];
  const wrongs = ["args", "env", "extra"].flatMap((key) => values.map((value) => `{"args":["a"],"${key}":${value}}`));
  const good = '{"args":["a","hunter2"],"env":{"A":"hunter2"},"extra":["hunter2"]}';
  const cuts = Array.from(good, (_, at) => [good.slice(0, at), good.slice(0, at) + good.slice(at + 1)]).flat();
  for (const source of [...wrongs, ...cuts]) {
    try {
      parseSpec("web", source);
    } catch (error) {
      assert(error instanceof SpecError);
      assertEquals(/hunt|ter2/.test(`${error} ${error.stack} ${error.field} ${error.reason} ${error.cause}`), false);
    }
  }
});

/** Returns a config with ? in place of the value of a key of `ncolony.monitor`. */
function own(key: string, value = "?"): string {
  return `{"args":["a"],"ncolony.monitor":{"${key}":${value}}}`;
}

/** Returns the error that rejects an invalid config. */
function refusal(source: string): SpecError {
  return assertThrows(() => parseSpec("web", source), SpecError);
}

/** Returns a valid config of this size in bytes, filled with these characters. */
function configOfBytes(bytes: number, characters: string): string {
  const size = (text: string) => new TextEncoder().encode(text).length;
  const [start, end] = ['{"args":["a"],"extra":"', '"}'];
  const room = bytes - size(start + end);
  const filling = characters.repeat(Math.floor(room / size(characters)));
  return start + filling + "x".repeat(room - size(filling)) + end;
}
