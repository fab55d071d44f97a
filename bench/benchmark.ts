import { interrupt, Interrupted, print } from "./processes.ts";

/**
 * Runs a benchmark in a temporary directory and exits with the code that it returns. On SIGINT, SIGTERM or SIGHUP, it
 * stops the processes that it has started, and exits with 130.
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
