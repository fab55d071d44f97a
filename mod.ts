/**
 * NColony: a process monitor whose whole interface is two directories, and the programs around it.
 *
 * Run it as `deno run -A jsr:@ncolony/ncolony monitor …`, or `… ctl …`: it loads only that tool. The libraries are
 * `@ncolony/ncolony/monitor` and its siblings, the same as `@ncolony/monitor` and so on.
 *
 * @module
 */

import { answerCommon, calledName, COMMON_OPTIONS, optionsHelp, runProgram } from "@ncolony/host/tool";
import { UsageError } from "@ncolony/core";
import manifest from "./deno.json" with { type: "json" };

const PROGRAM = {
  name: "ncolony",
  version: manifest.version,
  help: `ncolony: run colonies of processes.

Usage: ncolony TOOL [options]

Tools, each with a --help of its own:
  monitor                        run the processes that a directory says, and restart them when they die
  ctl                            add, change, remove and restart the processes of a colony
  beatcheck                      ask for the restart of processes whose hearts are silent
  httpcheck                      ask for the restart of processes that do not answer over HTTP
  scheduler                      run a command now and then, never twice at once
  reaper                         be PID 1 for one command: pass signals on, wait for orphans

Options:
${optionsHelp(COMMON_OPTIONS)}`,
};

/**
 * Runs the tool that the first word names; or, where this program is called `ncolony-TOOL`, by a link for instance, that
 * one.
 *
 * @param argv The command line, without the program's name.
 * @returns The tool's exit code, or 2 where there is no such tool.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const called = /^ncolony-([a-z]+)(?:\.js)?$/.exec(calledName(import.meta.url))?.[1];
  const [tool, ...rest] = called === undefined ? argv : [called, ...argv];
  switch (tool) {
    case "monitor":
      return await (await import("@ncolony/monitor")).main(rest);
    case "ctl":
      return await (await import("@ncolony/ctl")).main(rest);
    case "beatcheck":
      return await (await import("@ncolony/beatcheck")).main(rest);
    case "httpcheck":
      return await (await import("@ncolony/httpcheck")).main(rest);
    case "reaper":
      return await (await import("@ncolony/reaper")).main(rest);
    case "scheduler":
      return await (await import("@ncolony/scheduler")).main(rest);
  }
  return await runProgram(PROGRAM, () => {
    if (answerCommon(PROGRAM, new Set([tool === "-h" ? "help" : tool?.replace(/^--/, "") ?? ""]))) return 0;
    throw new UsageError(
      tool === undefined
        ? "a tool is missing: monitor, ctl, beatcheck, httpcheck, scheduler or reaper"
        : `${JSON.stringify(tool)} is no tool`,
    );
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
