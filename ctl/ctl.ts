import { fileNameFault, type JsonObject, nameFault, type Origin, parseSpec, SpecError } from "@ncolony/core";
import { postFile, postMessage, removeFile } from "@ncolony/host/tool";

/** The two directories of a colony. */
export interface Places {
  /** The config directory. */
  readonly config: string;
  /** The messages directory. */
  readonly messages: string;
}

/** The options of {@linkcode add}. */
export interface AddOptions {
  /** Environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of variables that are copied from the monitor's environment. They override `env`. */
  readonly envInherit?: readonly string[];
  /** The user id to run as. */
  readonly uid?: number;
  /** The group id to run as. */
  readonly gid?: number;
  /** More keys of the config, for the process itself and for other tools. They override the keys above. */
  readonly extras?: JsonObject;
}

/**
 * Adds a process, or changes the process of that name. The monitor starts it, or restarts it with the change.
 *
 * The monitor's own parser checks the config first. An invalid config is not written.
 *
 * @param places The directories of the colony.
 * @param name The name of the process.
 * @param cmd The command.
 * @param args The arguments of the command.
 * @throws {SpecError} If the name or an option is invalid.
 * @throws {Deno.errors.NotFound} If the config directory does not exist.
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
 * Removes a process. The monitor stops it.
 *
 * @throws {RangeError} If the name is invalid.
 * @throws {Deno.errors.NotFound} If there is no such process.
 */
export function remove(places: Places, name: string): void {
  checkName(name, fileNameFault(name));
  removeFile(places.config, name);
}

/**
 * Asks the monitor to restart a process.
 *
 * @param places The directories of the colony.
 * @param name The name of the process.
 * @param origin What the message says about itself, for the log and for `ctl why`.
 * @returns The name of the message.
 * @throws {RangeError} If the name is invalid.
 */
export function restart(places: Places, name: string, origin: Origin = {}): string {
  checkName(name, nameFault(name));
  return postMessage(places.messages, { type: "RESTART", name, ...origin });
}

/** Asks the monitor to restart every process. Returns the name of the message. */
export function restartAll(places: Places, origin: Origin = {}): string {
  return postMessage(places.messages, { type: "RESTART-ALL", ...origin });
}

/** Asks the monitor to restart every process that has the group in its `group`. Returns the name of the message. */
export function restartGroup(places: Places, group: string, origin: Origin = {}): string {
  return postMessage(places.messages, { type: "RESTART-GROUP", group, ...origin });
}

/** Rejects NaN, which JSON turns into null, and null means the monitor's own id. */
function checkId(name: string, field: string, id: number | undefined): void {
  if (id === undefined || Number.isInteger(id)) return;
  throw new SpecError(name, field, `${JSON.stringify(field)} must be an integer: got ${id}`);
}

function checkName(name: string, fault: string | null): void {
  if (fault !== null) throw new RangeError(`Cannot name a process ${JSON.stringify(name)}: ${fault}`);
}
