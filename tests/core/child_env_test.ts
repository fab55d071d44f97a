import { assertEquals } from "@std/assert";
import { childEnv } from "@ncolony/core";
import { sample } from "./samples.ts";

/** The monitor's own environment. */
const ENVIRON = new Map([["HOME", "/root"], ["SECRET", "x"], ["__proto__", "monitor's"], ["NCOLONY_NAME", "monitor"]]);

/** The environment of a child with this config, without the two variables that every child gets. */
function envOf(config: Record<string, unknown>): [string, string][] {
  const env = childEnv(sample("web", config), (name) => ENVIRON.get(name));
  return Object.entries(env).filter(([name]) => !/^NCOLONY_(NAME|CONFIG)$/.test(name));
}

Deno.test("childEnv() gives a child its name and its config, and nothing of the monitor's", () => {
  const spec = sample("web");
  const env = childEnv(spec, (name) => ENVIRON.get(name));
  assertEquals(env, { NCOLONY_NAME: "web", NCOLONY_CONFIG: spec.source });
});

Deno.test("childEnv() gives a child the variables of env", () => {
  assertEquals(envOf({ env: { A: "1", EMPTY: "" } }), [["A", "1"], ["EMPTY", ""]]);
});

Deno.test("childEnv() copies what env_inherit names over env", () => {
  const config = { env: { HOME: "/srv", A: "1" }, env_inherit: ["HOME"] };
  assertEquals(envOf(config), [["HOME", "/root"], ["A", "1"]]);
});

Deno.test("childEnv() makes a variable empty that the monitor does not have", () => {
  assertEquals(envOf({ env: { UNSET: "1" }, env_inherit: ["UNSET"] }), [["UNSET", ""]]);
});

Deno.test("childEnv() puts the name and the config of the process over all else", () => {
  const names = ["NCOLONY_NAME", "NCOLONY_CONFIG"];
  const spec = sample("web", { env: { NCOLONY_NAME: "db", NCOLONY_CONFIG: "{}" }, env_inherit: names });
  const env = childEnv(spec, (name) => ENVIRON.get(name));
  assertEquals(env, { NCOLONY_NAME: "web", NCOLONY_CONFIG: spec.source });
});

Deno.test("childEnv() takes __proto__ for the name of a variable as any other", () => {
  assertEquals(envOf(JSON.parse('{"env": {"__proto__": "child\'s"}}')), [["__proto__", "child's"]]);
  assertEquals(envOf({ env_inherit: ["__proto__"] }), [["__proto__", "monitor's"]]);
});

Deno.test("childEnv() passes the config on byte for byte", () => {
  const source = '\n{ "args": ["é\\u00e9😀"],\r\n\t"args": ["a"], "x": 1.0e0 } \n\n';
  const env = childEnv({ ...sample("web"), source }, () => undefined);
  assertEquals(env["NCOLONY_CONFIG"], source);
});
