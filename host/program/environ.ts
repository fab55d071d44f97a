/** An environment variable cannot be read, because it is not UTF-8. */
export class EnvironError extends Error {
  /** Identifies the error if `instanceof` cannot. */
  override readonly name = "EnvironError";

  /** Creates an error that does not show the value, which may be a secret. Deno's own error shows it. */
  constructor(variable: string) {
    super(`environment variable ${JSON.stringify(variable)} is not valid UTF-8`);
  }
}

/**
 * Reads a variable of this program's environment.
 *
 * @throws {EnvironError} If it is not UTF-8.
 * @throws {Deno.errors.NotCapable} If `--allow-env` is missing for it.
 */
export function denoEnviron(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    throw error instanceof Deno.errors.NotCapable ? error : new EnvironError(name);
  }
}
