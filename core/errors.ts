import { quotedName } from "./shown.ts";

/**
 * A config file does not say what to run.
 *
 * `field` is the path of the key that is wrong (`"env.HOME"`), or null where the text as a whole is (not JSON, too long).
 * The message names types and places, never values that may be secrets.
 */
export class SpecError extends SyntaxError {
  /** Tells the errors apart where a class cannot. */
  override readonly name = "SpecError";
  /** The name of the config file. */
  readonly file: string;
  /** The key that is wrong, or null. */
  readonly field: string | null;
  /** What is wrong, without the name of the file. */
  readonly reason: string;

  /** Makes the error for one file and one field. */
  constructor(file: string, field: string | null, reason: string) {
    super(`Cannot parse config ${quotedName(file)}: ${reason}`);
    this.file = file;
    this.field = field;
    this.reason = reason;
  }
}

/** A message file does not ask for anything that can be understood. */
export class MessageError extends SyntaxError {
  /** Tells the errors apart where a class cannot. */
  override readonly name = "MessageError";
  /** The name of the message file. */
  readonly file: string;
  /** The key that is wrong, or null where the text as a whole is. */
  readonly field: string | null;
  /** What is wrong, without the name of the file. */
  readonly reason: string;

  /** Makes the error for one file and one field. */
  constructor(file: string, field: string | null, reason: string) {
    super(`Cannot parse message ${quotedName(file)}: ${reason}`);
    this.file = file;
    this.field = field;
    this.reason = reason;
  }
}

/** A command line is wrong: programs print its message in one line on stderr and exit with 2. */
export class UsageError extends Error {
  /** Tells the errors apart where a class cannot. */
  override readonly name = "UsageError";
}
