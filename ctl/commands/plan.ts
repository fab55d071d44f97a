import { type Entry, planChanges, type PlannedChange, quotedName, visible, visibleJson } from "@ncolony/core";
import { configDirectory } from "@ncolony/host/read-tool";
import { ExitError, lastValue, type ParsedArgs, printShown, requiredPlace } from "@ncolony/host/tool";
import { exactly } from "../operands.ts";
import { NOT_WELL } from "../unknown.ts";

/**
 * Tells what the monitor would do if a directory took the place of the config directory: `plan DIR`.
 *
 * @returns The exit code: 0 if it would do nothing, 3 if it would do something.
 * @throws {ExitError} With 1 if a directory cannot be read.
 */
export function run(words: ParsedArgs): number {
  const [to] = exactly(words, "DIR");
  const changes = planChanges(entriesOf(lastValue(words, "from") ?? requiredPlace(words, "config")), entriesOf(to));
  const isJson = words.flags.has("json");
  printShown(isJson ? visibleJson(JSON.stringify({ version: 1, changes })) : toText(changes));
  return changes.length === 0 ? 0 : NOT_WELL;
}

/** Returns the files of a config directory, by name. */
function entriesOf(path: string): ReadonlyMap<string, Entry> {
  const directory = configDirectory(path, { allowInsecure: true });
  const names = directory.names();
  if ("fault" in names) throw new ExitError(`Cannot read ${JSON.stringify(path)}: ${names.fault}`, 1);
  return new Map(names.flatMap((name): [string, Entry][] => {
    const entry = directory.read(name)?.entry;
    return entry === undefined ? [] : [[name, entry]];
  }));
}

function toText(changes: readonly PlannedChange[]): string {
  if (changes.length === 0) return "Nothing would change.";
  const counted = (word: string, count: number) => count === 0 ? [] : [`${count} to ${word}`];
  const count = (change: PlannedChange["change"]) => changes.filter((it) => it.change === change).length;
  const sum = (["start", "stop", "restart"] as const).flatMap((change) => counted(change, count(change)));
  const invalid = count("invalid");
  if (invalid > 0) sum.push(`${invalid} invalid, which ${invalid === 1 ? "stays" : "stay"} as now`);
  return [...changes.map(lineOf), sum.join(", ")].join("\n");
}

/** `restart "web": its config changed: env, ncolony.monitor.cwd`. */
function lineOf({ name, change, why, keys }: PlannedChange): string {
  const named = keys === null || keys.length === 0 ? "" : `: ${keys.join(", ")}`;
  return visible(`${change.padEnd(7)} ${quotedName(name)}: ${why}${named}`);
}
