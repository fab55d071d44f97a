import { checkChoice, checkInteger, checkNumber, checkText, fileNameFault, KILL_SCOPES } from "@ncolony/core";
import { ownName } from "@ncolony/host";
import { parseCron } from "./cron.ts";
import type { Options } from "./options.ts";

/** The values of `--kill-scope`. A monitor that runs this program may have cgroups, which hold its runs as well. */
export const SCOPES = KILL_SCOPES.filter((scope) => scope !== "cgroup");

/** The minimum of the frequency and the timeout. */
export const MIN_SECONDS = 0.001;

/** Checks a command and its times as on the command line. @throws {RangeError | TypeError} If one is invalid. */
export function checkRun(
  { args, timeout, grace, killScope }: Pick<Options, "args" | "timeout" | "grace" | "killScope">,
): void {
  if (!Array.isArray(args) || args.length === 0) {
    throw new TypeError('"args" must be an array with the command and its arguments');
  }
  checkText("args[0]", args[0]);
  if (args.some((arg) => typeof arg !== "string")) throw new TypeError('"args" must contain only strings');
  for (const [name, value, least] of [["timeout", timeout, MIN_SECONDS], ["grace", grace, 0]] as const) {
    if (value === undefined) throw new TypeError(`"${name}" is missing`);
    checkNumber(name, value, least);
  }
  checkChoice("killScope", killScope, SCOPES);
}

/** Checks all library options in the same way. @throws {RangeError | TypeError | UsageError} If one is invalid. */
export function checkOptions(options: Options): void {
  const { frequency, splay, maxFailures } = options;
  checkRun(options);
  checkNumber("frequency", frequency, MIN_SECONDS);
  checkNumber("splay", splay, 0);
  if (maxFailures !== Infinity) checkInteger("maxFailures", maxFailures, 1, 999_999_999);
  for (const name of ["status", "job"] as const) if (options[name] !== undefined) checkText(name, options[name]);
  checkTogether(options, (name) => JSON.stringify(name), TypeError);
}

/** Checks that valid options can be combined. `named` formats the name of an option for the error. */
export function checkTogether(
  { frequency, cron, splay, last, catchUp, once, timezone, status, job }: Options,
  named: (name: keyof Options) => string,
  OptionError: new (message: string) => Error,
): void {
  const fail = (message: string): never => {
    throw new OptionError(message);
  };
  if (frequency !== undefined && cron !== undefined) {
    fail(`${named("frequency")} and ${named("cron")} cannot be used together`);
  }
  if (frequency === undefined && cron === undefined && !once) {
    fail(`${named("frequency")} or ${named("cron")} is missing`);
  }
  if (cron === undefined && last !== undefined) fail(`${named("last")} needs ${named("cron")}`);
  if (cron === undefined && catchUp) fail(`${named("catchUp")} needs ${named("cron")}`);
  if (frequency !== undefined && splay !== undefined && splay >= frequency) {
    fail(`${named("splay")} must be less than ${named("frequency")}`);
  }
  if (job !== undefined && status === undefined) fail(`${named("job")} needs ${named("status")}`);
  if (status !== undefined && nameOfJob({ job }) === null) {
    fail(`${named("status")} needs ${named("job")}, because no monitor runs this program`);
  }
  const fault = job === undefined ? null : fileNameFault(job);
  if (fault !== null) fail(`${named("job")} ${JSON.stringify(job)} is invalid: ${fault}`);
  // Whether an expression ever matches does not depend on the zone, and asking for the machine's zone starts a shell.
  if (cron !== undefined && parseCron(cron, timezone ?? "UTC").nextRun(new Date()) === null) {
    fail(`${named("cron")} ${JSON.stringify(cron)} matches no future time`);
  }
}

/** Returns the name of the job. Null if it has none. */
export function nameOfJob({ job }: { readonly job?: string | undefined }): string | null {
  return job ?? ownName();
}
