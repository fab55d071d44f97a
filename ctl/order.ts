import { isAtRest, MAX_CONFIG_BYTES, type Order } from "@ncolony/core";
import { denoClock, sha256, StatusReader } from "@ncolony/host/read-tool";
import { ExitError, type Program, readLinkedFile } from "@ncolony/host/tool";
import { call, ORIGIN } from "./call.ts";
import { restart, restartAll, restartGroup } from "./ctl.ts";
import { membersOf } from "./members.ts";
import type { Request } from "./options.ts";
import { NOTHING } from "./unknown.ts";
import { waitFor } from "./wait.ts";

/** How to wait. */
export interface Wait {
  /** The status directory. */
  readonly status: string;
  /** How long, in milliseconds. */
  readonly timeoutMs: number;
  /** How many processes are restarted at a time. Infinity: all. */
  readonly rolling: number;
}

/**
 * Runs a command, and waits until that is done.
 *
 * @returns The exit code: 0 if it is done, 3 if it has failed or takes too long.
 * @throws {ExitError} With 4 if there is no monitor. Then nothing is written or sent.
 */
export async function carryOut(program: Program, request: Request, wait: Wait): Promise<number> {
  const { status, timeoutMs, rolling } = wait;
  const reader = new StatusReader(status);
  if (reader.isAlive() === false) {
    throw new ExitError(`no monitor writes the status in ${JSON.stringify(status)}`, NOTHING);
  }
  const { places, command } = request;
  const until = (orders: ReadonlyMap<string, Order>) =>
    waitFor(program, { config: places.config, status }, orders, timeoutMs);
  switch (command.type) {
    case "add":
    case "patch":
    case "start": {
      const at = denoClock.wall();
      call(request);
      const names = "names" in command ? command.names : [command.name];
      return await until(
        new Map(
          await Promise.all(names.map(async (name) => [name, await configOrder(places.config, name, at)] as const)),
        ),
      );
    }
    case "stop":
    case "remove":
      call(request);
      return await until(new Map(command.names.map((name) => [name, { type: "stop" }])));
    case "restart":
    case "restart-all":
    case "restart-group": {
      const names = command.type === "restart" ? command.names : runningIn(reader, request);
      for (let begun = 0; begun < names.length; begun += rolling) {
        const code = await until(ask(request, names.slice(begun, begun + rolling), rolling === Infinity));
        if (code !== 0) return code;
      }
      return 0;
    }
  }
}

/** Asks for the restart of some processes, by one message if that is what the command does. */
function ask({ places, command }: Request, names: readonly string[], isWhole: boolean): Map<string, Order> {
  const message = !isWhole
    ? null
    : command.type === "restart-all"
    ? restartAll(places, ORIGIN)
    : command.type === "restart-group"
    ? restartGroup(places, command.group, ORIGIN)
    : null;
  return new Map(names.map((name) => [name, { type: "restart", message: message ?? restart(places, name, ORIGIN) }]));
}

/** Returns the names of the processes that are not at rest, or of those in a group. */
function runningIn(reader: StatusReader, { places, command }: Request): string[] {
  const members = command.type === "restart-group" ? membersOf(places.config, command.group) : null;
  return (reader.names() ?? []).filter((name) => {
    const status = reader.process(name)?.status;
    return status !== undefined && !isAtRest(status) && (members === null || members.has(name));
  });
}

async function configOrder(config: string, name: string, at: number): Promise<Order> {
  const source = readLinkedFile(config, name, MAX_CONFIG_BYTES) ?? "";
  return { type: "config", sha256: await sha256(source), at };
}
