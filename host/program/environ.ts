/** A variable that cannot be passed on. */
export class EnvironError extends Error {
  /** Tells the errors apart where a class cannot. */
  override readonly name = "EnvironError";

  /** Makes one that does not show the value, which may be a secret; Deno's own does. */
  constructor(variable: string) {
    super(`environment variable ${JSON.stringify(variable)} is not UTF-8`);
  }
}

/**
 * Looks a variable of this program's environment up.
 *
 * @throws {EnvironError} Where it is not UTF-8.
 * @throws {Deno.errors.NotCapable} Without `--allow-env` for it.
 */
export function denoEnviron(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    throw error instanceof Deno.errors.NotCapable ? error : new EnvironError(name);
  }
}
