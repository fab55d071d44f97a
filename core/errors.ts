import { quotedName } from "./shown.ts";
import type { Origin } from "./types.ts";

/**
 * A config file is invalid.
 *
 * `field` is the path of the invalid key (`"env.HOME"`), or null if the whole text is invalid (not JSON, too long). The
 * message names types and places, never values that may be secrets.
 */
export class SpecError extends SyntaxError {
  /** Identifies the error if `instanceof` cannot. */
  override readonly name = "SpecError";
  /** The name of the config file. */
  readonly file: string;
  /** The path of the invalid key, or null. */
  readonly field: string | null;
  /** What is wrong, without the name of the file. */
  readonly reason: string;

  /** Creates an error for a file and a field. */
  constructor(file: string, field: string | null, reason: string) {
    super(`Cannot parse config ${quotedName(file)}: ${reason}`);
    this.file = file;
    this.field = field;
    this.reason = reason;
  }
}

/** A message file is invalid. */
export class MessageError extends SyntaxError {
  /** Identifies the error if `instanceof` cannot. */
  override readonly name = "MessageError";
  /** The name of the message file. */
  readonly file: string;
  /** The invalid key, or null if the whole text is invalid. */
  readonly field: string | null;
  /** What is wrong, without the name of the file. */
  readonly reason: string;
  /** What the message says about itself all the same. */
  readonly origin: Origin;

  /** Creates an error for a file and a field. */
  constructor(file: string, field: string | null, reason: string, origin: Origin = {}) {
    super(`Cannot parse message ${quotedName(file)}: ${reason}`);
    this.file = file;
    this.field = field;
    this.reason = reason;
    this.origin = origin;
  }
}

/** A command line is invalid. Programs print the message on one line to stderr and exit with code 2. */
export class UsageError extends Error {
  /** Identifies the error if `instanceof` cannot. */
  override readonly name = "UsageError";
}
