/**
 * Writes the JSON Schemas of configs, messages, status files and events to `core/schemas`, which is published, and to
 * `docs/schemas`.
 *
 * @module
 */

import { ensureDirSync } from "@std/fs/ensure-dir";
import { dirname, fromFileUrl, join } from "@std/path";
import { CONFIG } from "./schemas/config.ts";
import { MESSAGE } from "./schemas/message.ts";
import { EVENT, STATUS } from "./schemas/status.ts";

const root = dirname(dirname(fromFileUrl(import.meta.url)));

/** Where the schemas are. */
const PLACES = ["core/schemas", "docs/schemas"];

/** The schemas, by name. */
export const SCHEMAS: Readonly<Record<string, object>> = Object.fromEntries(
  Object.entries({ config: CONFIG, message: MESSAGE, status: STATUS, event: EVENT }).map(([name, schema]) => [name, {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: `https://jsr.io/@ncolony/core/schemas/${name}.schema.json`,
    ...schema,
  }]),
);

/** Returns the files of the schemas, by path, with their texts. */
export function schemaFiles(): Record<string, string> {
  return Object.fromEntries(
    PLACES.flatMap((place) =>
      Object.entries(SCHEMAS).map(([name, schema]) => [
        join(root, place, `${name}.schema.json`),
        `${JSON.stringify(schema, null, 2)}\n`,
      ])
    ),
  );
}

if (import.meta.main) {
  for (const place of PLACES) ensureDirSync(join(root, place));
  for (const [path, text] of Object.entries(schemaFiles())) Deno.writeTextFileSync(path, text);
}
