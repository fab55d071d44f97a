import { UsageError, visible } from "@ncolony/core";
import { describeError } from "../deno_errors.ts";

/** What `--help` and `--version` need to know of a program. */
export interface Program {
  /** Its name, which leads every complaint. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** The whole text of `--help`. */
  readonly help: string;
}

/** An error that ends a program with a code of its own. */
export class ExitError extends Error {
  /** Tells the errors apart where a class cannot. */
  override readonly name = "ExitError";
  /** The exit code. */
  readonly code: number;

  /** Makes one. */
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/**
 * Runs a program up to its exit code: what it returns, 2 where its command line is wrong, that of an {@linkcode ExitError},
 * 1 where anything else fails.
 * A failure is one line on stderr.
 */
export async function runProgram(program: Program, run: () => number | Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const hint = error instanceof UsageError ? ` (try ${program.name} --help)` : "";
    complain(program, describeError(error) + hint);
    return error instanceof UsageError ? 2 : error instanceof ExitError ? error.code : 1;
  }
}

/** Says something on stderr, in one line. */
export function complain({ name }: Program, message: string): void {
  print(Deno.stderr, `${name}: ${message.replaceAll(/\s*\n\s*/g, " ")}`);
}

/** Answers `--help` and `--version`: true where one of them was asked for. */
export function answerCommon({ name, version, help }: Program, flags: ReadonlySet<string>): boolean {
  if (flags.has("help")) print(Deno.stdout, help);
  else if (flags.has("version")) print(Deno.stdout, `${name} ${version}`);
  else return false;
  return true;
}

/** Prints one or more lines on stdout; nothing in them can control a terminal. */
export function printLine(line: string): void {
  print(Deno.stdout, line);
}

/**
 * Lets Deno's event loop turn once: before, Deno does not keep for the next start what it has compiled. Writes nothing, but
 * tries again what an earlier write could not.
 */
export async function turnOnce(): Promise<void> {
  try {
    await Deno.stdout.write(new Uint8Array());
  } catch {
    // As in print().
  }
}

function print(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const lines = text.split("\n").map((line) => `${visible(line)}\n`);
  try {
    stream.writeSync(new TextEncoder().encode(lines.join("")));
  } catch {
    // Nobody reads it any more (`| head -1`).
  }
}

/**
 * The name under which this program was called, without the directories: that of the binary, or of the script.
 *
 * @param url The URL of the script's main module.
 */
export function calledName(url: string): string {
  // deno-lint-ignore no-process-global -- only a binary needs it, and to import node:process takes 11 ms
  const path = Deno.build.standalone ? process.argv0 : url;
  return path.slice(path.lastIndexOf("/") + 1);
}
