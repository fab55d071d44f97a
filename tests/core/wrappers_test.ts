import { assertEquals } from "@std/assert";
import { splitEnv, type WrapperFacts, wrappersOf } from "@ncolony/core";
import { sample } from "./samples.ts";

const FACTS: WrapperFacts = { userGroups: [], isRoot: true, ownNice: 0, variables: {} };

/** Returns the words of each wrapper of a config, and the key that needs it. */
function wordsOf(monitor: object, config: object = {}, facts: Partial<WrapperFacts> = {}): Record<string, string> {
  const wrappers = wrappersOf(sample("web", { ...config, "ncolony.monitor": monitor }), { ...FACTS, ...facts });
  return Object.fromEntries(wrappers.map(({ field, tool, args }) => [field, [tool, ...args].join(" ")]));
}

Deno.test("wrappersOf() needs none for what Deno itself can do", () => {
  assertEquals(wordsOf({}), {});
  const variables = { LD_PRELOAD: "/x.so" };
  assertEquals(wordsOf({ umask: "0027", cwd: "/srv", groups: [] }, { uid: 33, gid: 33 }, { variables }), {});
});

Deno.test("wrappersOf() takes the user's groups with the user, and adds the config's", () => {
  const user = { userGroups: [33, 4] };
  assertEquals(wordsOf({ user: "www-data" }, {}, user), {
    "ncolony.monitor.user": "setpriv --reuid=www-data --regid=33 --groups=33,4",
  });
  assertEquals(wordsOf({ user: "www-data", groups: ["docker", 7] }, {}, user), {
    "ncolony.monitor.groups": "setpriv --reuid=www-data --regid=33 --groups=33,4,docker,7",
  });
});

Deno.test("wrappersOf() changes only what the config names", () => {
  assertEquals(wordsOf({ groups: [7] }), { "ncolony.monitor.groups": "setpriv --groups=7" });
  assertEquals(wordsOf({ groups: [7] }, { uid: 0 }), { "ncolony.monitor.groups": "setpriv --reuid=0 --groups=7" });
  assertEquals(wordsOf({ groups: [7] }, { gid: 0 }), { "ncolony.monitor.groups": "setpriv --regid=0 --groups=7" });
});

Deno.test("wrappersOf() leaves the uid and gid to setpriv once another wrapper may need root", () => {
  assertEquals(wordsOf({ nice: -5 }, { uid: 33, gid: 7 }), {
    "ncolony.monitor.nice": "nice -n -5",
    uid: "setpriv --reuid=33 --regid=7 --clear-groups",
  });
  assertEquals(wordsOf({ nofile: 9 }, { gid: 7 }), {
    gid: "setpriv --regid=7 --clear-groups",
    "ncolony.monitor.nofile": "prlimit --nofile=9:",
  });
});

Deno.test("wrappersOf() keeps the groups of a program that is not root, and may not change them", () => {
  assertEquals(wordsOf({ nofile: 9 }, { uid: 33 }, { isRoot: false }), {
    uid: "setpriv --reuid=33 --keep-groups",
    "ncolony.monitor.nofile": "prlimit --nofile=9:",
  });
});

Deno.test("wrappersOf() tells nice(1) the difference to this program's niceness", () => {
  assertEquals(wordsOf({ nice: -5 }, {}, { ownNice: 10 }), { "ncolony.monitor.nice": "nice -n -15" });
});

Deno.test("wrappersOf() does first what needs root, and sets unsafe variables and the user's directory last", () => {
  const monitor = { user: "www-data", cwd: "/srv", nice: 1, oom_score_adj: -1, nofile: 9 };
  const facts = { userGroups: [33], variables: { LD_PRELOAD: "/x.so", TZDIR: "" } };
  assertEquals(Object.values(wordsOf(monitor, {}, facts)), [
    "nice -n 1",
    "choom -n -1 --",
    "setpriv --reuid=www-data --regid=33 --groups=33",
    "prlimit --nofile=9:",
    "env --chdir=/srv LD_PRELOAD=/x.so TZDIR=",
  ]);
  assertEquals(wordsOf({ nice: 1, cwd: "/srv" }, {}, { variables: { LD_PRELOAD: "/x.so" } }), {
    "ncolony.monitor.nice": "nice -n 1",
    env: "env LD_PRELOAD=/x.so",
  });
});

Deno.test("splitEnv() finds every variable that glibc removes from programs with more rights than their user", () => {
  const names = [
    ..."GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LD_AUDIT LD_BIND_NOT LD_BIND_NOW LD_DEBUG".split(" "),
    ..."LD_DEBUG_OUTPUT LD_DYNAMIC_WEAK LD_HWCAP_MASK LD_LIBRARY_PATH LD_ORIGIN_PATH LD_PRELOAD".split(" "),
    ..."LD_PROFILE LD_PROFILE_OUTPUT LD_SHOW_AUXV LD_USE_LOAD_BIAS LD_VERBOSE LD_WARN LOCALDOMAIN LOCPATH".split(" "),
    ..."MALLOC_ARENA_MAX MALLOC_ARENA_TEST MALLOC_CHECK_ MALLOC_MMAP_MAX_ MALLOC_MMAP_THRESHOLD_".split(" "),
    ..."MALLOC_PERTURB_ MALLOC_TOP_PAD_ MALLOC_TRACE MALLOC_TRIM_THRESHOLD_ MUSL_LOCPATH NIS_PATH NLSPATH".split(" "),
    ..."RESOLV_HOST_CONF RES_OPTIONS TMPDIR TZDIR".split(" "),
  ];
  const unsafe = Object.fromEntries(names.map((name) => [name, name.toLowerCase()]));
  const safe = {
    PATH: "/bin",
    LANG: "C",
    MY_LD_PRELOAD: "x",
    LDFLAGS: "y",
    MALLOCATE: "y",
    TOKEN: "hunter2",
    ["__proto__"]: "z",
  };
  assertEquals(splitEnv({ ...unsafe, ...safe }), { safe, unsafe });
});
