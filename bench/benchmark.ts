import { interrupt, Interrupted, print } from "./processes.ts";

/**
 * Runs a benchmark in a temporary directory, and ends the program with the exit code that it gives: 130 after SIGINT,
 * SIGTERM or SIGHUP, when what it has started is ended all the same.
 */
export async function benchmark(name: string, main: (home: string) => Promise<number>): Promise<never> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => interrupt(signal));
  }
  const home = Deno.makeTempDirSync({ prefix: `ncolony-${name}-` });
  let code;
  try {
    code = await main(home);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    print(error.message);
    code = 130;
  } finally {
    Deno.removeSync(home, { recursive: true });
  }
  Deno.exit(code);
}
