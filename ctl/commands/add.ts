import { type JsonObject, MAX_CONFIG_BYTES, MAX_ID, parseObject, UsageError } from "@ncolony/core";
import { lastValue, type ParsedArgs, readTextFile, requiredValue } from "@ncolony/host/tool";
import { add, type AddOptions } from "../ctl.ts";
import { exactly } from "../operands.ts";
import { asUsage, left, requestOf, waiterFor } from "../request.ts";

/** Adds a process, or changes one: `add NAME --cmd CMD`. Returns the exit code. */
export async function run(args: ParsedArgs): Promise<number> {
  const [name] = exactly(args, "NAME");
  const cmd = requiredValue(args, "cmd");
  const options = optionsOf(args);
  const request = requestOf(args);
  const waiter = await waiterFor(request);
  const extras = lastValue(args, "extras");
  const all = extras === undefined ? options : { ...options, extras: parseExtras(extras) };
  asUsage("add", () => add(request.places, name, cmd, args.values.get("arg") ?? [], all));
  return await waiter?.untilRunning([name]) ?? left(request);
}

/** Returns what the options say, without `--extras`. */
function optionsOf(args: ParsedArgs): AddOptions {
  const [env, envInherit] = [args.values.get("env") ?? [], args.values.get("env-inherit") ?? []];
  const [uid, gid] = [parseId(args, "uid"), parseId(args, "gid")];
  return {
    ...(env.length === 0 ? {} : { env: Object.fromEntries(env.map(parseVariable)) }),
    ...(envInherit.length === 0 ? {} : { envInherit }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
}

function parseVariable(text: string): [string, string] {
  const split = text.indexOf("=");
  // Do not show the text: it may be a secret whose name was forgotten.
  if (split < 1) throw new UsageError("--env must be NAME=VALUE");
  return [text.slice(0, split), text.slice(split + 1)];
}

function parseId(args: ParsedArgs, name: string): number | undefined {
  const text = lastValue(args, name);
  if (text === undefined) return undefined;
  const id = /^\d+$/.test(text) ? Number(text) : NaN;
  if (id <= MAX_ID) return id;
  throw new UsageError(`--${name} must be an integer from 0 to ${MAX_ID}: got ${JSON.stringify(text)}`);
}

/** Parses a JSON object, or the file with one at a path. */
function parseExtras(text: string): JsonObject {
  const isJson = /^\s*[{[]/.test(text);
  const what = isJson ? "--extras" : `--extras ${JSON.stringify(text)}`;
  const source = isJson ? text : readExtras(text, what);
  return parseObject(source, (reason) => new UsageError(`${what}: ${reason}`));
}

function readExtras(path: string, what: string): string {
  try {
    return readTextFile(path, MAX_CONFIG_BYTES);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    error.message = `${what}: ${error.message}`;
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}
