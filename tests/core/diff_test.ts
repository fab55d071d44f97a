import { assertEquals } from "@std/assert";
import { diff, type ProcessEvent, type Spec } from "@ncolony/core";
import { sample } from "./samples.ts";

const OFF = { "ncolony.monitor": { enabled: false } };
const A = sample("web", { args: ["a"] });
const B = sample("web", { args: ["b"] });
const A_OFF = sample("web", { args: ["a"], ...OFF });
const B_OFF = sample("web", { args: ["b"], ...OFF });

const NOTHING = undefined;
const UNWANTED: ProcessEvent = { type: "unwanted" };
const WANTED_A: ProcessEvent = { type: "wanted", spec: A };
const WANTED_B: ProcessEvent = { type: "wanted", spec: B };

const AFTER = [undefined, A, B, A_OFF, B_OFF];
const CASES: readonly (readonly [before: string, spec: Spec | undefined, ...events: (ProcessEvent | undefined)[]])[] = [
  ["unknown", undefined, NOTHING, WANTED_A, WANTED_B, NOTHING, NOTHING],
  ["enabled", A, UNWANTED, NOTHING, WANTED_B, UNWANTED, UNWANTED],
  ["enabled with another text", B, UNWANTED, WANTED_A, NOTHING, UNWANTED, UNWANTED],
  ["disabled", A_OFF, NOTHING, WANTED_A, WANTED_B, NOTHING, NOTHING],
  ["disabled with another text", B_OFF, NOTHING, WANTED_A, WANTED_B, NOTHING, NOTHING],
];

for (const [before, spec, ...events] of CASES) {
  Deno.test(`diff() gives what makes a difference to a process that was ${before}`, () => {
    assertEquals(AFTER.map((after) => diff(named(spec), named(after)).get("web")), events);
  });
}

Deno.test("diff() takes two specs of the same text for the same", () => {
  assertEquals(diff(named(A), named(sample("web", { args: ["a"] }))), new Map());
});

Deno.test("diff() gives the events of all names, and of none that stayed as it was", () => {
  const [same, edited, removed, added] = ["same", "edited", "removed", "added"].map((name) => sample(name));
  const after = sample("edited", { args: ["false"] });
  const specs = (...all: (Spec | undefined)[]) => new Map(all.map((spec) => [spec!.name, spec!]));
  assertEquals(
    diff(specs(same, edited, removed), specs(same, after, added)),
    new Map<string, ProcessEvent>([
      ["edited", { type: "wanted", spec: after }],
      ["added", { type: "wanted", spec: added! }],
      ["removed", { type: "unwanted" }],
    ]),
  );
});

function named(spec: Spec | undefined): Map<string, Spec> {
  return new Map(spec === undefined ? [] : [[spec.name, spec]]);
}
