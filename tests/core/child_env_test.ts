import { assertEquals } from "@std/assert";
import { childEnv } from "@ncolony/core";
import { sample } from "./samples.ts";

/** The monitor's own environment. */
const ENVIRON = new Map([["HOME", "/root"], ["SECRET", "x"], ["__proto__", "monitor's"], ["NCOLONY_NAME", "monitor"]]);

/** Returns the environment of a child with this config, without the two variables that every child gets. */
function envOf(config: Record<string, unknown>): [string, string][] {
  const env = childEnv(sample("web", config), (name) => ENVIRON.get(name));
  return Object.entries(env).filter(([name]) => !/^NCOLONY_(NAME|CONFIG)$/.test(name));
}

Deno.test("childEnv() gives a child its name and its config, and nothing from the monitor's environment", () => {
  const spec = sample("web");
  const env = childEnv(spec, (name) => ENVIRON.get(name));
  assertEquals(env, { NCOLONY_NAME: "web", NCOLONY_CONFIG: spec.source });
});

Deno.test("childEnv() gives a child the variables of env", () => {
  assertEquals(envOf({ env: { A: "1", EMPTY: "" } }), [["A", "1"], ["EMPTY", ""]]);
});

Deno.test("childEnv() overrides env with the variables that env_inherit names", () => {
  const config = { env: { HOME: "/srv", A: "1" }, env_inherit: ["HOME"] };
  assertEquals(envOf(config), [["HOME", "/root"], ["A", "1"]]);
});

Deno.test("childEnv() sets an inherited variable to the empty string if the monitor does not have it", () => {
  assertEquals(envOf({ env: { UNSET: "1" }, env_inherit: ["UNSET"] }), [["UNSET", ""]]);
});

Deno.test("childEnv() overrides every other variable with the name and the config of the process", () => {
  const names = ["NCOLONY_NAME", "NCOLONY_CONFIG"];
  const spec = sample("web", { env: { NCOLONY_NAME: "db", NCOLONY_CONFIG: "{}" }, env_inherit: names });
  const env = childEnv(spec, (name) => ENVIRON.get(name));
  assertEquals(env, { NCOLONY_NAME: "web", NCOLONY_CONFIG: spec.source });
});

Deno.test("childEnv() treats __proto__ as a variable name like any other", () => {
  assertEquals(envOf(JSON.parse('{"env": {"__proto__": "child\'s"}}')), [["__proto__", "child's"]]);
  assertEquals(envOf({ env_inherit: ["__proto__"] }), [["__proto__", "monitor's"]]);
});

Deno.test("childEnv() passes the config byte for byte", () => {
  const source = '\n{ "args": ["é\\u00e9😀"],\r\n\t"args": ["a"], "x": 1.0e0 } \n\n';
  const env = childEnv({ ...sample("web"), source }, () => undefined);
  assertEquals(env["NCOLONY_CONFIG"], source);
});
