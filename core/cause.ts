import type { Origin } from "./types.ts";
import { isObject, type Json, type JsonObject, ownValue } from "./json.ts";

/** Why a process was started, stopped or restarted. */
export type Cause =
  /**
   * Its config was added, changed, disabled or removed. `keys` names the keys that changed; null: all are new or gone.
   * `reason` is `removed` or `disabled` if it was.
   */
  | { readonly kind: "config"; readonly keys: readonly string[] | null; readonly reason?: string }
  /** A message asked for it. `messages` names the files of all messages that were answered at once, the last one last. */
  | MessageCause
  /** The monitor started, or ended. `reason`: what it found when it started. Absent: nothing of note. */
  | { readonly kind: "monitor"; readonly reason?: string }
  /** The process exited by itself. */
  | { readonly kind: "exit" }
  /** The restart delay was over. */
  | { readonly kind: "delay" };

/** A message, as a cause. */
export interface MessageCause {
  /** Identifies the cause. */
  readonly kind: "message";
  /** The names of the message files. */
  readonly messages: readonly string[];
  /** Who sent the last one. Null if it does not say. */
  readonly from: string | null;
  /** Why. Null if it does not say. */
  readonly reason: string | null;
}

/** A restart that messages ask for. */
export interface Request {
  /** The messages. */
  readonly cause: MessageCause;
  /** Which start of the process they are meant for. Absent: whichever it is. */
  readonly incarnation?: number;
}

/** Returns the request of one message. */
export function requestOf(file: string, { from, reason, incarnation }: Origin): Request {
  const cause: MessageCause = { kind: "message", messages: [file], from: from ?? null, reason: reason ?? null };
  return { cause, ...(incarnation === undefined ? {} : { incarnation }) };
}

/** Joins two requests. If one is meant for whichever start it is, so are both. */
export function joinRequests(one: Request, other: Request): Request {
  const cause = { ...other.cause, messages: joined(one.cause, other.cause) };
  if (one.incarnation === undefined || other.incarnation === undefined) return { cause };
  return { cause, incarnation: Math.max(one.incarnation, other.incarnation) };
}

function joined(one: MessageCause, other: MessageCause): string[] {
  return [...one.messages, ...other.messages].slice(-MAX_MESSAGES);
}

/** The most messages that a cause names. */
const MAX_MESSAGES = 32;

/** Joins two causes of one start: the later one decides, but no message is forgotten. */
export function joinCauses(before: Cause | null, cause: Cause): Cause {
  if (before?.kind !== "message" || cause.kind !== "message") return cause;
  return { ...cause, messages: joined(before, cause) };
}

/**
 * Returns the names of the keys in which two config texts differ, sorted. Keys below `ncolony.monitor` and its like are
 * named on their own: `ncolony.monitor.kill_time`. Values are never named. Both texts must be valid configs.
 *
 * @example
 * ```ts
 * import { changedKeys } from "@ncolony/core";
 *
 * const keys = changedKeys('{"args": ["cat"]}', '{"args": ["cat"], "env": {"TOKEN": "secret"}}');
 * if (keys.join() !== "env") throw new Error("unexpected");
 * ```
 */
export function changedKeys(before: string, after: string): string[] {
  return differences(JSON.parse(before), JSON.parse(after), "").sort();
}

function differences(before: JsonObject, after: JsonObject, prefix: string): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => {
    const [one, other] = [ownValue(before, key), ownValue(after, key)];
    if (isSame(one, other)) return [];
    const isNested = prefix === "" && key.startsWith("ncolony.") && isObject(one) && isObject(other);
    return isNested ? differences(one, other, `${key}.`) : [prefix + key];
  });
}

function isSame(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
