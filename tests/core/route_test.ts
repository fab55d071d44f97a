import { assertEquals } from "@std/assert";
import { type Message, route } from "@ncolony/core";
import { sample } from "./samples.ts";

const OFF = { "ncolony.monitor": { enabled: false } };
const SPECS = new Map(
  [
    sample("web", { group: ["eu", "front"] }),
    sample("db", { group: ["eu"] }),
    sample("mail"),
    sample("old", { group: ["eu"], ...OFF }),
    sample("__proto__", { group: ["__proto__"] }),
  ].map((spec) => [spec.name, spec]),
);

const CASES: readonly (readonly [sentence: string, message: Message, ...names: string[]])[] = [
  ["sends a restart to the process that it names", { type: "RESTART", name: "web" }, "web"],
  ["sends a restart of an unknown process to no process", { type: "RESTART", name: "webs" }],
  ["sends a restart of a disabled process to no process", { type: "RESTART", name: "old" }],
  ["sends a restart of constructor to no process", { type: "RESTART", name: "constructor" }],
  ["sends a restart of __proto__ to the process of that name", { type: "RESTART", name: "__proto__" }, "__proto__"],
  [
    "sends a restart of all processes to all that are enabled",
    { type: "RESTART-ALL" },
    "web",
    "db",
    "mail",
    "__proto__",
  ],
  ["sends a restart of a group to its enabled members", { type: "RESTART-GROUP", group: "eu" }, "web", "db"],
  ["sends a restart of a group to its only member", { type: "RESTART-GROUP", group: "front" }, "web"],
  ["sends a restart of a group without members to no process", { type: "RESTART-GROUP", group: "us" }],
  ["does not treat the name of a process as a group", { type: "RESTART-GROUP", group: "web" }],
];

for (const [sentence, message, ...names] of CASES) {
  Deno.test(`route() ${sentence}`, () => assertEquals(route(message, SPECS), names));
}

Deno.test("route() returns no names if there are no specs", () => {
  assertEquals(route({ type: "RESTART-ALL" }, new Map()), []);
});
