import { fileNameFault, type JsonObject, nameFault, parseSpec, SpecError } from "@ncolony/core";
import { postFile, postMessage, removeFile } from "@ncolony/host/tool";

/** The two directories of a colony. */
export interface Places {
  /** The config directory. */
  readonly config: string;
  /** The messages directory. */
  readonly messages: string;
}

/** What {@linkcode add} may be told besides the command. */
export interface AddOptions {
  /** Environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of variables that are copied from the monitor's environment, over `env`. */
  readonly envInherit?: readonly string[];
  /** The user id to run as. */
  readonly uid?: number;
  /** The group id to run as. */
  readonly gid?: number;
  /** Further keys, for the process itself and for other tools. One that stands above too replaces what stands there. */
  readonly extras?: JsonObject;
}

/**
 * Adds a process, or changes one of that name: a monitor starts it, or restarts it with the change.
 *
 * The file is checked with the monitor's own parser; what is wrong is not written.
 *
 * @param places Where the colony is.
 * @param name The name of the process.
 * @param cmd The command.
 * @param args Its arguments.
 * @throws {SpecError} Where the name or an option is wrong.
 * @throws {Deno.errors.NotFound} Where there is no config directory.
 *
 * @example
 * ```ts
 * import { add } from "@ncolony/ctl";
 *
 * const config = await Deno.makeTempDir();
 * const messages = await Deno.makeTempDir();
 * add({ config, messages }, "sentry", "/myvenv/sentry", ["start", "--config=/etc/sentry.conf"]);
 * ```
 */
export function add(
  places: Places,
  name: string,
  cmd: string,
  args: readonly string[],
  options: AddOptions = {},
): void {
  const { env, envInherit, uid, gid, extras } = options;
  checkId(name, "uid", uid);
  checkId(name, "gid", gid);
  const config = { args: [cmd, ...args], env, uid, gid, env_inherit: envInherit, ...extras };
  const source = JSON.stringify(config);
  parseSpec(name, source);
  postFile(places.config, name, source);
}

/**
 * Removes a process: a monitor stops it.
 *
 * @throws {RangeError} Where it cannot be the name of a process.
 * @throws {Deno.errors.NotFound} Where there is no such process.
 */
export function remove(places: Places, name: string): void {
  checkName(name, fileNameFault(name));
  removeFile(places.config, name);
}

/**
 * Asks for a restart of a process.
 *
 * @throws {RangeError} Where it cannot be the name of a process.
 */
export function restart(places: Places, name: string): void {
  checkName(name, nameFault(name));
  postMessage(places.messages, { type: "RESTART", name });
}

/** Asks for a restart of every process. */
export function restartAll(places: Places): void {
  postMessage(places.messages, { type: "RESTART-ALL" });
}

/** Asks for a restart of every process that has the group in its `group`. */
export function restartGroup(places: Places, group: string): void {
  postMessage(places.messages, { type: "RESTART-GROUP", group });
}

/** NaN would become null in JSON, and so the monitor's own id. */
function checkId(name: string, field: string, id: number | undefined): void {
  if (id === undefined || Number.isInteger(id)) return;
  throw new SpecError(name, field, `${JSON.stringify(field)} must be an integer: got ${id}`);
}

function checkName(name: string, fault: string | null): void {
  if (fault !== null) throw new RangeError(`Cannot name a process ${JSON.stringify(name)}: ${fault}`);
}
