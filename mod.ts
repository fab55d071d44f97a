/**
 * NColony: a process monitor whose whole interface is two directories, and the tools that go with it.
 *
 * Run it as `deno run -A jsr:@ncolony/ncolony monitor …`, or `… ctl …`. It loads only the tool that you name.
 * `@ncolony/ncolony/monitor` exports what `@ncolony/monitor` exports, and so on for the other packages.
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
  monitor     run the processes of a config directory, restart them on exit
  ctl         add, change, remove and restart the processes of a colony
  beatcheck   request restarts of processes without a heartbeat
  httpcheck   request restarts of processes that fail HTTP checks
  scheduler   run a command periodically, never twice at once
  notify      run a command when something happens in a colony
  reaper      be PID 1 for one command: pass on signals, wait for orphans
  web         show the processes of a colony in a browser

Options:
${optionsHelp(COMMON_OPTIONS)}`,
};

/**
 * Runs the tool that the first word names. If this program is called as `ncolony-TOOL`, such as by a symbolic link,
 * runs that tool.
 *
 * @param argv The command line, without the program's name.
 * @returns The tool's exit code, or 2 if there is no such tool.
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
    case "notify":
      return await (await import("@ncolony/notify")).main(rest);
    case "reaper":
      return await (await import("@ncolony/reaper")).main(rest);
    case "scheduler":
      return await (await import("@ncolony/scheduler")).main(rest);
    case "web":
      return await (await import("@ncolony/web")).main(rest);
  }
  return await runProgram(PROGRAM, () => {
    if (answerCommon(PROGRAM, new Set([tool === "-h" ? "help" : tool?.replace(/^--/, "") ?? ""]))) return 0;
    throw new UsageError(
      tool === undefined
        ? "tool missing: use monitor, ctl, beatcheck, httpcheck, scheduler, notify, reaper or web"
        : `unknown tool ${JSON.stringify(tool)}`,
    );
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
