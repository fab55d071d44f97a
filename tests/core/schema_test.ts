/** The JSON Schemas of `core/schemas` accept what the parsers accept, and nothing else. */

import { assert, assertEquals } from "@std/assert";
import { MessageError, parseBeat, parseHttpCheck, parseMessage, parseSpec, SpecError } from "@ncolony/core";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { SCHEMAS } from "../../tools/schemas.ts";
import { CHECK_OBJECT } from "./check_documents.ts";
import { OBJECT } from "./documents.ts";

/** How many documents: `deno task schemas:agree` tries 100,000. */
const RUNS = Number(Deno.args[0] ?? 5000);

const ajv = new Ajv2020({ allErrors: false, strict: false });

/** Checks that a schema agrees with parsers about many documents, of which it accepts some and rejects some. */
function assertAgrees(schema: string, documents: fc.Arbitrary<unknown>, isValid: (source: string) => boolean): void {
  const validate = ajv.compile(SCHEMAS[schema]!);
  const counts = { accepted: 0, rejected: 0 };
  fc.assert(
    fc.property(documents, (document) => {
      const source = JSON.stringify(document);
      const expected = isValid(source);
      counts[expected ? "accepted" : "rejected"]++;
      assertEquals(validate(JSON.parse(source)), expected, `${source}\n${JSON.stringify(validate.errors)}`);
    }),
    { numRuns: RUNS },
  );
  assert(counts.accepted > RUNS / 50 && counts.rejected > RUNS / 50, JSON.stringify(counts));
}

function accepts(kind: new (...args: never[]) => Error, ...parsers: readonly (() => unknown)[]): boolean {
  try {
    for (const parse of parsers) parse();
    return true;
  } catch (error) {
    if (error instanceof kind) return false;
    throw error;
  }
}

Deno.test(`config.schema.json accepts ${RUNS} documents if and only if parseSpec() does`, () => {
  assertAgrees("config", OBJECT, (source) => accepts(SpecError, () => parseSpec("web", source)));
});

Deno.test(`config.schema.json accepts ${RUNS} documents with checks if and only if the parsers of all tools do`, () => {
  assertAgrees("config", CHECK_OBJECT, (source) =>
    accepts(
      SpecError,
      () => parseSpec("web", source),
      () => parseBeat("web", source),
      () => parseHttpCheck("web", source),
    ));
});

Deno.test(`message.schema.json accepts ${RUNS} documents if and only if parseMessage() does`, () => {
  assertAgrees("message", OBJECT, (source) => accepts(MessageError, () => parseMessage("1", source)));
});
