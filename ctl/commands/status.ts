import { type View, viewJson, visibleJson } from "@ncolony/core";
import { denoClock, type Picture, readView, watchStatus } from "@ncolony/host/read-tool";
import { lastValue, type ParsedArgs, printShown, requiredPlace } from "@ncolony/host/tool";
import { membersOf } from "../members.ts";
import { operands } from "../operands.ts";
import { statusText } from "../status_text.ts";
import { openStatus } from "../told.ts";
import { codeOf, noSuchProcess } from "../unknown.ts";

/**
 * Shows how processes are: `status [NAME…]`.
 *
 * @returns The exit code: 0 if all are well, 3 if one is not, 4 if there is no monitor.
 * @throws {ExitError} With 4 if there is no status, or no such process or group.
 */
export async function run(words: ParsedArgs): Promise<number> {
  if (words.flags.has("watch")) {
    await watchStatus(requiredPlace(words, "status"), () => show(words));
    return 0;
  }
  const { text, code } = show(words);
  printShown(text);
  return code;
}

/** Returns what to show now, and the exit code. */
function show(words: ParsedArgs): Picture & { readonly code: number } {
  const view = see(words);
  const code = codeOf(view);
  const isWide = words.flags.has("wide");
  const facts = JSON.stringify([
    view.isAlive,
    view.stale !== null,
    view.monitor.stopping,
    view.processes.map(({ text, healths }) => [text, ...[...healths.values()].map(({ isHealthy }) => isHealthy)]),
  ]);
  return {
    code,
    facts,
    text: words.flags.has("json") ? visibleJson(JSON.stringify(viewJson(view))) : statusText(view, isWide),
  };
}

function see(words: ParsedArgs): View {
  const { reader, known } = openStatus(words);
  const named = operands(words);
  const unknown = named.find((name) => !known.includes(name));
  if (unknown !== undefined) throw noSuchProcess(unknown, known);
  const group = lastValue(words, "group");
  const members = group === undefined ? null : membersOf(requiredPlace(words, "config"), group);
  const isAll = named.length > 0 || words.flags.has("wide");
  const wanted = named.length > 0 ? [...new Set(named)].sort() : known;
  const view = readView(reader, wanted.filter((name) => members?.has(name) ?? true), denoClock.wall());
  return { ...view, processes: view.processes.filter(({ status }) => isAll || status.state !== "removed") };
}
