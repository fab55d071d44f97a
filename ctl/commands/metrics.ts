import { metricsText, visible } from "@ncolony/core";
import { denoClock, readView, terminal } from "@ncolony/host/read-tool";
import { lastValue, type ParsedArgs, printShown, shareFile } from "@ncolony/host/tool";
import { exactly } from "../operands.ts";
import { openStatus } from "../told.ts";

/**
 * Prints the metrics of a colony, or writes them to a file: `metrics`.
 *
 * @returns The exit code: 0, also if a process is not well or the monitor is gone, for the metrics tell that.
 * @throws {ExitError} With 4 if there is no status.
 * @throws {Error} If the file cannot be written.
 */
export function run(words: ParsedArgs): number {
  exactly(words);
  const { reader, known } = openStatus(words);
  const format = words.flags.has("openmetrics") ? "openmetrics" : "prometheus";
  const text = metricsText(readView(reader, known, denoClock.wall()), format);
  const file = lastValue(words, "output");
  if (file === undefined) print(text);
  else shareFile(file, text);
  return 0;
}

/** Prints lines. A terminal gets them without what could control it. */
function print(text: string): void {
  const lines = text.slice(0, -1);
  printShown(terminal().width === Infinity ? lines : lines.split("\n").map(visible).join("\n"));
}
