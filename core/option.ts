import { MAX_SECONDS } from "./fields.ts";
import { typeName } from "./json.ts";

/**
 * Checks that an option of a library function is a number in a range. Accepts an option that is absent.
 *
 * @param name The name of the option.
 * @param value The value of the option.
 * @param min The least value.
 * @param max The greatest value. @default {1e9}, the longest duration in seconds
 * @throws {TypeError} If the value is not a number.
 * @throws {RangeError} If the value is out of range, or NaN.
 */
export function checkNumber(name: string, value: unknown, min: number, max: number = MAX_SECONDS): void {
  if (value === undefined) return;
  if (typeof value !== "number") throw new TypeError(`"${name}" must be a number: got ${typeName(value)}`);
  if (!(value >= min && value <= max)) {
    throw new RangeError(`"${name}" must be a number from ${min} to ${max}: got ${value}`);
  }
}

/** Checks that an option is an integer in a range, like {@linkcode checkNumber}. */
export function checkInteger(name: string, value: unknown, min: number, max: number): void {
  checkNumber(name, value, min, max);
  if (value !== undefined && !Number.isInteger(value)) {
    throw new RangeError(`"${name}" must be a whole number: got ${value}`);
  }
}

/** Checks that an option is one of several texts. Accepts an option that is absent. @throws {TypeError} If it is not. */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.some((choice) => choice === value)) return;
  throw new TypeError(`"${name}" must be one of ${choices.join(", ")}`);
}

/** Checks that an option is a non-empty string. @throws {TypeError} If it is not. */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== "string") throw new TypeError(`"${name}" must be a string: got ${typeName(value)}`);
  if (value === "") throw new TypeError(`"${name}" must not be empty`);
}
