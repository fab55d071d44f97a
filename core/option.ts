import { MAX_SECONDS } from "./fields.ts";
import { typeName } from "./json.ts";

/**
 * Sees that an option of a library is a number in a range; one that is absent is left alone.
 *
 * @param name The name of the option.
 * @param value Its value.
 * @param min The least.
 * @param max The most. @default {1e9}, the longest duration in seconds
 * @throws {TypeError} Where it is no number.
 * @throws {RangeError} Where it is not in the range, or NaN.
 */
export function checkNumber(name: string, value: unknown, min: number, max: number = MAX_SECONDS): void {
  if (value === undefined) return;
  if (typeof value !== "number") throw new TypeError(`"${name}" must be a number: got ${typeName(value)}`);
  if (!(value >= min && value <= max)) {
    throw new RangeError(`"${name}" must be a number from ${min} to ${max}: got ${value}`);
  }
}

/** Sees that an option is a whole number in a range, as {@linkcode checkNumber} does. */
export function checkInteger(name: string, value: unknown, min: number, max: number): void {
  checkNumber(name, value, min, max);
  if (value !== undefined && !Number.isInteger(value)) {
    throw new RangeError(`"${name}" must be a whole number: got ${value}`);
  }
}

/** Sees that an option is a text, and not an empty one. @throws {TypeError} Where it is not. */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== "string") throw new TypeError(`"${name}" must be a string: got ${typeName(value)}`);
  if (value === "") throw new TypeError(`"${name}" must not be empty`);
}
