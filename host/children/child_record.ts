import { digest, fileNameFault, isObject, type Json, ownValue, STOP_SIGNALS, type StopRules } from "@ncolony/core";
import { isPid } from "./pid_dir.ts";

/** What is known of a child. */
export interface ChildRecord {
  /** The name of its process. */
  readonly name: string;
  /** Tells the config that it is started with from others. */
  readonly config: string;
  /** How it is stopped. */
  readonly rules: StopRules;
  /** In which boot of the machine it is started; null where that is not known. */
  readonly boot: string | null;
  /** The pid of its leader; null before it was started. */
  readonly pid: number | null;
  /** When that was, in clock ticks since the boot; null before, or where that is not known. */
  readonly start: string | null;
}

/** How a process is stopped whose config is not known. */
export const DEFAULT_RULES: StopRules = { stopSignal: "SIGTERM", killScope: "group" };

/** Tells a config from most others. */
export function configDigest(source: string): string {
  return `${source.length}-${digest(source).toString(16)}`;
}

/** What a line says; null where it is free, or torn. */
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
    killScope: scope === "process" ? "process" : "group",
  };
}
