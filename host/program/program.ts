import { UsageError, visible } from "@ncolony/core";
import { describeError } from "../deno_errors.ts";

/** What `--help` and `--version` need to know about a program. */
export interface Program {
  /** Its name, which begins every error message. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** The whole text of `--help`. */
  readonly help: string;
}

/** A program must exit with a certain code. */
export class ExitError extends Error {
  /** Identifies the error if `instanceof` cannot. */
  override readonly name = "ExitError";
  /** The exit code. */
  readonly code: number;

  /** Creates an error with an exit code. */
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/**
 * Runs a program and resolves with its exit code: what `run` returns, 2 for an invalid command line, the code of an
 * {@linkcode ExitError}, or 1 for any other error. An error is printed as one line on stderr.
 */
export async function runProgram(program: Pick<Program, "name">, run: () => number | Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const hint = error instanceof UsageError ? ` (try ${program.name} --help)` : "";
    complain(program, describeError(error) + hint);
    return error instanceof UsageError ? 2 : error instanceof ExitError ? error.code : 1;
  }
}

/** Prints a message as one line on stderr. */
export function complain({ name }: Pick<Program, "name">, message: string): void {
  print(Deno.stderr, `${name}: ${message.replaceAll(/\s*\n\s*/g, " ")}`);
}

/** Prints the answer to `--help` or `--version`. Returns whether one of them was given. */
export function answerCommon({ name, version, help }: Program, flags: ReadonlySet<string>): boolean {
  if (flags.has("help")) print(Deno.stdout, help);
  else if (flags.has("version")) print(Deno.stdout, `${name} ${version}`);
  else return false;
  return true;
}

/** Prints one or more lines on stdout. Escapes what could control a terminal. */
export function printLine(line: string): void {
  print(Deno.stdout, line);
}

/** Prints text on stdout that is safe for a terminal, or is meant to control it. */
export function printShown(text: string): void {
  write(Deno.stdout, `${text}\n`);
}

/**
 * Lets Deno's event loop turn once. Until then, Deno does not cache the code that it has compiled for the next start.
 * Writes nothing, but Deno tries again to write the rest of an earlier partial write.
 */
export async function turnOnce(): Promise<void> {
  try {
    await Deno.stdout.write(new Uint8Array());
  } catch {
    // As in print().
  }
}

function print(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  write(stream, text.split("\n").map((line) => `${visible(line)}\n`).join(""));
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
  } catch {
    // No process reads it any more (`| head -1`).
  }
}

/**
 * Returns the name that this program was called by, without directories: the name of the binary or of the script.
 *
 * @param url The URL of the script's main module.
 */
export function calledName(url: string): string {
  // deno-lint-ignore no-process-global -- only a binary needs it, and to import node:process takes 11 ms
  const path = Deno.build.standalone ? process.argv0 : url;
  return path.slice(path.lastIndexOf("/") + 1);
}
