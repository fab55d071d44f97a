import {
  digest,
  fileNameFault,
  isObject,
  type Json,
  KILL_SCOPES,
  ownValue,
  STOP_SIGNALS,
  type StopRules,
} from "@ncolony/core";
import { isPid } from "./pid_dir.ts";

/** What is known about a child. */
export interface ChildRecord {
  /** The name of its process. */
  readonly name: string;
  /** The digest of the config that it is started with. */
  readonly config: string;
  /** How it is stopped. */
  readonly rules: StopRules;
  /** The id of the machine's boot in which it is started. Null if unknown. */
  readonly boot: string | null;
  /** The pid of its leader. Null before it is started. */
  readonly pid: number | null;
  /** When its leader started, in clock ticks since the boot. Null before that, or if unknown. */
  readonly start: string | null;
}

/** How a process is stopped if its config is unknown. */
export const DEFAULT_RULES: StopRules = { stopSignal: "SIGTERM", killScope: "all" };

/** Returns a digest of a config, which most other configs do not have. */
export function configDigest(source: string): string {
  return `${source.length}-${digest(source).toString(16)}`;
}

/** Parses a line of the table. Returns null if it is free or holds no valid record. */
export function parseRecord(text: string): ChildRecord | null {
  try {
    const record = JSON.parse(text);
    if (!isObject(record)) return null;
    const keys = ["name", "config", "rules", "boot", "pid", "start"];
    const [name, config, rules, boot, pid, start] = keys.map((key) => ownValue(record, key));
    if (typeof name !== "string" || fileNameFault(name) !== null || typeof config !== "string") return null;
    return {
      name,
      config,
      rules: parseRules(rules),
      boot: typeof boot === "string" ? boot : null,
      pid: isPid(pid) ? pid : null,
      start: typeof start === "string" ? start : null,
    };
  } catch {
    return null;
  }
}

function parseRules(value: Json | undefined): StopRules {
  const rules = value !== undefined && isObject(value) ? value : {};
  const [signal, killTimeMs, scope] = ["stopSignal", "killTimeMs", "killScope"].map((key) => ownValue(rules, key));
  return {
    stopSignal: STOP_SIGNALS.find((known) => known === signal) ?? DEFAULT_RULES.stopSignal,
    ...(typeof killTimeMs === "number" && killTimeMs >= 0 ? { killTimeMs } : {}),
    killScope: KILL_SCOPES.find((known) => known === scope) ?? DEFAULT_RULES.killScope,
  };
}
