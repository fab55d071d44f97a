import { type Origin, SpecError, UsageError } from "@ncolony/core";
import {
  complain,
  countValue,
  isLocked,
  lastValue,
  mayRead,
  type ParsedArgs,
  placeValue,
  requiredPlace,
  secondsValue,
} from "@ncolony/host/tool";
import type { Places } from "./ctl.ts";
import { PROGRAM } from "./program.ts";
import type { Wait, Waiter } from "./waiter.ts";

/** What messages of this program say about themselves. */
export const ORIGIN: Origin = { from: "ctl" };

/** What every command has that changes something. */
export interface Request {
  /** The directories of the colony. */
  readonly places: Places;
  /** The status directory. Undefined if none is named. */
  readonly status: string | undefined;
  /** How to wait until it is done. Null: not at all. */
  readonly wait: Wait | null;
}

/** Reads the options of such a command. @throws {UsageError} If one is missing or invalid. */
export function requestOf(args: ParsedArgs): Request {
  const places = { config: requiredPlace(args, "config"), messages: requiredPlace(args, "messages") };
  if (places.config.replace(/\/+$/, "") === places.messages.replace(/\/+$/, "")) {
    throw new UsageError("--config and --messages are the same directory");
  }
  return { places, status: placeValue(args, "status"), wait: waitOf(args) };
}

function waitOf(args: ParsedArgs): Wait | null {
  if (!args.flags.has("wait") && lastValue(args, "rolling") === undefined) {
    if (lastValue(args, "timeout") !== undefined) throw new UsageError("--timeout needs --wait");
    return null;
  }
  const timeoutMs = lastValue(args, "timeout") === undefined ? null : secondsValue(args, "timeout", 0) * 1000;
  return { status: requiredPlace(args, "status"), timeoutMs, rolling: countValue(args, "rolling") ?? Infinity };
}

/** Returns what waits for a request, from now on. Null without `--wait`. @throws {ExitError} With 4 if there is no monitor. */
export async function waiterFor({ places, wait }: Request): Promise<Waiter | null> {
  if (wait === null) return null;
  const { Waiter } = await import("./waiter.ts");
  return new Waiter(places, wait);
}

/** Ends a command that does not wait: says if there is no monitor, as far as that can be seen. Returns the exit code. */
export function left({ status }: Request): number {
  const isAlone = status !== undefined && mayRead(status) && isLocked(status) === false;
  if (isAlone) complain(PROGRAM, "no monitor is running: the next one will do this");
  return 0;
}

/** Writes something. @throws {UsageError} If a name or an option is invalid. */
export function asUsage<T>(verb: "add" | "restart", write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof SpecError) {
      throw new UsageError(`Cannot ${verb} ${JSON.stringify(error.file)}: ${error.reason}`);
    }
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}
