import { assert, assertEquals, assertThrows } from "@std/assert";
import { MAX_ID, parseSpec, SpecError, type Surroundings } from "@ncolony/core";

/** For each key of `ncolony.monitor`: a valid value, and invalid values, as JSON. */
const VALUES: Record<string, readonly [right: string, ...wrong: string[]]> = {
  user: ['"www-data"', "null", "33", "[]", '""', '"33"', '"a:b"', '"a,b"', '"a\\u0000"', '"\\udc00"'],
  groups: ['["docker", "4", 4]', "null", "4", '"docker"', "{}", "[null]", '[""]', '["a,b"]', "[-1]", "[4294967295]"],
  umask: ['"027"', "null", "27", "22", '""', '"8"', '"1000"', '"00027"', '"u=rwx"', '"-1"', "[]"],
  nice: ["-20", "null", "-21", "20", "0.5", '"5"', "[]"],
  oom_score_adj: ["1000", "null", "-1001", "1001", "0.5", '"5"', "[]"],
  nofile: ["1", "null", "0", "-1", "0.5", "1e9", '"1024"', "[]"],
};

/** Returns the surroundings of a config. `monitor` is its `ncolony.monitor`, as JSON. */
function parse(monitor: string, config = ""): Surroundings {
  return parseSpec("web", `{"args":["a"],"ncolony.monitor":${monitor}${config}}`).surroundings;
}

/** Returns the field that an invalid config is rejected for, and the reason. */
function refusal(monitor: string, config = ""): [field: string | null, reason: string] {
  const { field, reason } = assertThrows(() => parse(monitor, config), SpecError);
  return [field, reason];
}

for (const [key, [right, ...wrong]] of Object.entries(VALUES)) {
  Deno.test(`parseSpec() rejects ncolony.monitor.${key} if its type or value is invalid`, () => {
    parse(`{"${key}":${right}}`);
    for (const value of wrong) {
      const [field, reason] = refusal(`{"${key}":${value}}`);
      assertEquals(field, `ncolony.monitor.${key}`, value);
      assert(reason.startsWith(`"${field}" must be `), reason);
    }
  });
}

Deno.test("parseSpec() reads every key of the surroundings", () => {
  const monitor = {
    user: "www-data",
    groups: ["ssl-cert", 0, MAX_ID],
    umask: "0027",
    nice: -20,
    oom_score_adj: -1000,
    nofile: 1024,
  };
  assertEquals(parse(JSON.stringify(monitor)), {
    user: "www-data",
    supplementaryGroups: ["ssl-cert", 0, MAX_ID],
    umask: 0o27,
    nice: -20,
    oomScoreAdj: -1000,
    nofile: 1024,
  });
});

Deno.test("parseSpec() reads no surroundings if there are none, or if the array of groups is empty", () => {
  assertEquals([parse("{}"), parse('{"groups":[]}')], [{}, {}]);
});

Deno.test("parseSpec() rejects a user together with a uid or gid", () => {
  const user = '{"user":"www-data"}';
  assertEquals(parse(user, ',"uid":null,"gid":null'), { user: "www-data" });
  for (const [config, key] of [[',"uid":0', "uid"], [',"uid":33,"gid":33', "uid"], [',"gid":33', "gid"]] as const) {
    const reason = `"ncolony.monitor.user" cannot be used together with "${key}"`;
    assertEquals(refusal(user, config), ["ncolony.monitor.user", reason]);
  }
});

Deno.test("parseSpec() reads a umask in octal digits, and says how to write one", () => {
  const umaskOf = (umask: string) => parse(JSON.stringify({ umask })).umask;
  assertEquals(["0", "27", "027", "0027", "0777"].map(umaskOf), [0, 0o27, 0o27, 0o27, 0o777]);
  const reason = '"ncolony.monitor.umask" must be a string of octal digits up to "0777", such as "0027": got a number';
  assertEquals(refusal('{"umask":27}'), ["ncolony.monitor.umask", reason]);
});
