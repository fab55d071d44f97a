import { storyJson, storyLines, visibleJson } from "@ncolony/core";
import { denoClock, readStory } from "@ncolony/host/read-tool";
import { type ParsedArgs, printShown } from "@ncolony/host/tool";
import { exactly } from "../operands.ts";
import { openStatus } from "../told.ts";
import { codeOf, noSuchProcess } from "../unknown.ts";

/**
 * Explains what happened to a process: `why NAME`.
 *
 * @returns The exit code: 0 if it is well, 3 if it is not, 4 if there is no monitor.
 * @throws {ExitError} With 4 if there is no status, or no such process.
 */
export function run(words: ParsedArgs): number {
  const [name] = exactly(words, "NAME");
  const { reader, known } = openStatus(words);
  const story = readStory(reader, name, denoClock.wall());
  if (story === null) throw noSuchProcess(name, known.filter((other) => other !== name));
  printShown(words.flags.has("json") ? visibleJson(JSON.stringify(storyJson(story))) : storyLines(story).join("\n"));
  return codeOf(story.view);
}
