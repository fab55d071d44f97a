import { shownText } from "@ncolony/core";
import { runDaemon } from "@ncolony/host";
import manifest from "./deno.json" with { type: "json" };
import { formatTime, nextTimes, parseCron } from "./cron.ts";
import { HELP, type Invocation, parseOptions } from "./options.ts";
import { makeScheduler } from "./service.ts";

/**
 * Runs the scheduler as a program, until a signal stops it.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 if stopped as asked, 1 after an error, 2 if the command line is invalid; with `--once` that
 * of the command.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runDaemon({
    name: "ncolony-scheduler",
    version: manifest.version,
    help: HELP,
    parse: parseOptions,
    answer: nextRuns,
    make: makeScheduler,
    describe: (options) => `runs ${shownText(options.args[0])} ${whenOf(options)}`,
  }, argv);
}

function whenOf({ once, cron, timezone = "UTC", zoneSource, frequency }: Invocation): string {
  if (once) return "once";
  if (cron === undefined) return `every ${frequency} s`;
  const zone = zoneSource === undefined ? timezone : `${timezone} (${zoneSource})`;
  return `at ${cron} in ${zone}, next at ${nextTimes(parseCron(cron, timezone), 1, new Date(), timezone).join()}`;
}

/** Returns the times that `--next` prints, or null without it. */
function nextRuns({ next, cron, timezone = "UTC", frequency = 0 }: Invocation): string | null {
  if (next === undefined) return null;
  const now = new Date();
  if (cron !== undefined) return nextTimes(parseCron(cron, timezone), next, now, timezone).join("\n");
  // With a frequency no time zone is needed, so the times are in UTC.
  const times = Array.from({ length: next }, (_, k) => new Date(now.getTime() + k * frequency * 1000));
  return times.map((time) => formatTime(time, timezone)).join("\n");
}
