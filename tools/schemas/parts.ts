/** Parts of several schemas. */

/** Returns the schema of an integer in a range. */
export function integer(minimum: number, maximum: number): object {
  return { type: "integer", minimum, maximum };
}

/** Returns the schema of an object. Other keys are not allowed. */
export function object(properties: Readonly<Record<string, object>>, required: readonly string[] = []): object {
  return { type: "object", properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false };
}

/** Returns the schema of a value that may be null. */
export function orNull(schema: object): object {
  return { anyOf: [{ type: "null" }, schema] };
}
