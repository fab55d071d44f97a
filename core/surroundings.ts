import { type Fields, isText, MAX_ID } from "./fields.ts";
import type { Json } from "./json.ts";

/** A group: its name, or its id. */
export type Group = string | number;

/** What a process gets from the system before its command is executed. An absent part stays as the monitor has it. */
export interface Surroundings {
  /** The name of the user to run as. It brings the user's group and supplementary groups. */
  readonly user?: string;
  /** Supplementary groups, in addition to those of `user`. */
  readonly supplementaryGroups?: readonly Group[];
  /** The bits that the modes of its new files lack. */
  readonly umask?: number;
  /** The niceness, from -20 (gets the processor first) to 19. */
  readonly nice?: number;
  /** How readily the kernel kills it when memory runs out, from -1000 (never) to 1000. */
  readonly oomScoreAdj?: number;
  /** The soft limit of open files. */
  readonly nofile?: number;
}

/** The keys of `ncolony.monitor` that make up {@linkcode Surroundings}. */
export const SURROUNDINGS_KEYS: readonly string[] = ["groups", "nice", "nofile", "oom_score_adj", "umask", "user"];

/** The largest limit of open files. The system may allow fewer. */
export const MAX_NOFILE = 100_000_000;

/** Reads the surroundings in `ncolony.monitor`. Only the parts that it names are present. */
export function parseSurroundings(monitor: Fields): Surroundings {
  const user = monitor.parsed("user", 'the name of a user, such as "www-data"', parseUser);
  const groups = `an array of names of groups, or ids from 0 to ${MAX_ID}`;
  const supplementaryGroups = monitor.parsed("groups", groups, parseGroups) ?? [];
  const umask = monitor.parsed("umask", 'a string of octal digits up to "0777", such as "0027"', parseUmask);
  const nice = monitor.integer("nice", 19, -20);
  const oomScoreAdj = monitor.integer("oom_score_adj", 1000, -1000);
  const nofile = monitor.integer("nofile", MAX_NOFILE, 1);
  return {
    ...(user === undefined ? {} : { user }),
    ...(supplementaryGroups.length === 0 ? {} : { supplementaryGroups }),
    ...(umask === undefined ? {} : { umask }),
    ...(nice === undefined ? {} : { nice }),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...(nofile === undefined ? {} : { nofile }),
  };
}

/** Reads the name of a user. A number in a string is not one: it says nothing about groups. */
function parseUser(value: Json): string | undefined {
  return isAccount(value) && !/^\d+$/.test(value) ? value : undefined;
}

function parseGroups(value: Json): readonly Group[] | undefined {
  return Array.isArray(value) && value.every(isGroup) ? value : undefined;
}

/** Reads a umask. A JSON number is not one: 27 could mean octal 27 or octal 33. */
function parseUmask(value: Json): number | undefined {
  return typeof value === "string" && /^0?[0-7]{1,3}$/.test(value) ? parseInt(value, 8) : undefined;
}

function isGroup(value: Json): value is Group {
  return isAccount(value) || typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_ID;
}

/** Returns whether a value may be the name of a user or group. setpriv(1) separates groups by commas. */
function isAccount(value: Json): value is string {
  return isText(value) && /^[^,:]+$/.test(value);
}
