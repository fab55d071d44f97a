/** Random documents, many of them configs or messages. */

import { KILL_SCOPES, MAX_ID, MAX_NOFILE, MAX_SECONDS, STOP_SIGNALS } from "@ncolony/core";
import fc from "fast-check";

/** A value that no error may show. It stands for every secret. */
export const SECRET: string = "hunter2";

/** Any well-formed text. */
export const TEXT: fc.Arbitrary<string> = fc.string({ unit: "binary" });
const SCALAR = fc.oneof(TEXT, fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(SECRET));
const ANY = fc.oneof(SCALAR, fc.array(SCALAR), fc.dictionary(TEXT, SCALAR), fc.jsonValue());
/** Mostly valid, rarely arbitrary values. */
function mostly(right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: ANY });
}

/** Amounts of memory, many of them near the least or the greatest one. */
const MEMORY = fc.tuple(
  fc.oneof(
    fc.nat(),
    fc.bigInt({ min: 0n, max: 10n ** 16n }),
    fc.constantFrom("262143", "262144", "0256", "1024", "1025"),
  ),
  fc.constantFrom("", "K", "M", "G", "T", "k", "KB"),
).map(([digits, unit]) => `${digits}${unit}`);

/** Ids, most of them valid. */
export const ID: fc.Arbitrary<number | null> = fc.oneof(fc.nat(), fc.constantFrom(MAX_ID, MAX_ID + 1, -1, 0.5, null));
const TEXTS = fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1, size: "+1" });

/** The keys that say what a process gets from the system. */
export const SURROUNDINGS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  user: mostly(fc.oneof(fc.string({ unit: "grapheme", minLength: 1 }), fc.constantFrom("app", "33", "a,b", "a:b"))),
  groups: mostly(fc.array(fc.oneof(fc.nat(), fc.constantFrom("docker", "4", MAX_ID)))),
  umask: mostly(fc.constantFrom("0", "27", "0027", "0777", "1777")),
  nice: mostly(fc.oneof(fc.integer({ min: -20, max: 19 }), fc.constantFrom(-21, 20))),
  oom_score_adj: mostly(fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.constantFrom(-1001, 1001))),
  nofile: mostly(fc.oneof(fc.integer({ min: 1, max: MAX_NOFILE }), fc.constantFrom(0, MAX_NOFILE + 1))),
};

/** Objects with the keys of configs and messages, many of them valid. */
export const OBJECT: fc.Arbitrary<object> = fc.record({
  args: mostly(TEXTS),
  env: mostly(fc.dictionary(fc.string({ minLength: 1 }), fc.constant(SECRET))),
  env_inherit: mostly(TEXTS),
  uid: mostly(ID),
  gid: mostly(ID),
  group: mostly(TEXTS),
  "ncolony.monitor": mostly(fc.record({
    cwd: mostly(TEXT.map((text) => `/${text}`)),
    stop_signal: mostly(fc.constantFrom(...STOP_SIGNALS)),
    kill_time: mostly(fc.oneof(fc.double({ noNaN: true }), fc.nat(9), fc.constantFrom(MAX_SECONDS, MAX_SECONDS + 1))),
    kill_scope: mostly(fc.constantFrom(...KILL_SCOPES)),
    daemonizes: mostly(fc.boolean()),
    limits: mostly(fc.record({
      memory: mostly(fc.oneof(fc.nat(), fc.constantFrom("512M", "1T", "0"), MEMORY)),
      cpu: mostly(fc.double({ noNaN: true })),
      pids: mostly(fc.nat()),
    }, { requiredKeys: [] })),
    enabled: mostly(fc.boolean()),
    log: mostly(fc.oneof(
      fc.constantFrom(false, true, null),
      fc.record({
        size: mostly(fc.oneof(fc.nat(), fc.constantFrom(4095, 4096, 2 ** 40, 2 ** 40 + 1))),
        keep: mostly(fc.oneof(fc.nat(1000), fc.constantFrom(-1, 1001))),
        time: mostly(fc.boolean()),
      }, { requiredKeys: [] }),
    )),
    ...SURROUNDINGS,
  }, { requiredKeys: [] })),
  type: mostly(fc.constantFrom("RESTART", "restart", "RESTART-ALL", "restart-all", "RESTART-GROUP", "restart-group")),
  name: mostly(fc.string({ unit: "grapheme" })),
  value: mostly(TEXT),
  extra: ANY,
  ["__proto__"]: ANY,
}, { requiredKeys: ["args", "type"], noNullPrototype: true });
