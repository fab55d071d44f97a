import { parseSpec, type Spec, SpecError, type StopRules, stopRulesOf } from "@ncolony/core";
import type { ChildListener, Clock, Directory, FoundChild } from "../types.ts";
import type { Cgroup } from "../scopes/cgroup.ts";
import type { Cgroups } from "../scopes/cgroups.ts";
import { type ChildRecord, configDigest, DEFAULT_RULES } from "./child_record.ts";
import { Leftover } from "./leftover.ts";
import type { PidEntry } from "./pid_dir.ts";
import { type Logins, loginsOfSession } from "../scopes/logins.ts";
import { readProcess } from "../scopes/proc.ts";
import type { ProcView } from "../scopes/proc_view.ts";
import { exists } from "../scopes/scope.ts";
import { findStrays, type Stray } from "./strays.ts";
import { identify, type Trace } from "./trace.ts";
import { uidOf } from "./users.ts";

/** How long to search for a child that was being started when its monitor was killed, in milliseconds. */
const SEARCH_MS = 1000;

/** How long the result of a scan of /proc is used again, in milliseconds, because there may be many searches. */
const FRESH_MS = 10;

/** The content of the files that earlier monitors left in their pid directory. */
export interface LeftFiles {
  /** The records of their children. */
  readonly records: readonly ChildRecord[];
  /** The content of their pid files. */
  readonly pids: readonly PidEntry[];
}

/** How leftover processes are found. */
export interface Search {
  /** The config directory. */
  readonly config: Directory;
  /** How processes are seen. */
  readonly view: ProcView;
  /** The colony's cgroups. Null if it has none. */
  readonly cgroups: Cgroups | null;
  /** The time. */
  readonly clock: Clock;
}

/**
 * Finds the leftover processes of a colony: those in its cgroups, those that the files of earlier monitors name and, if
 * /proc may be read, those that run with the name and the config of one of the colony's processes.
 *
 * @param left The files that earlier monitors left in the pid directory.
 */
export async function findChildren(left: LeftFiles, { config, view, cgroups, clock }: Search): Promise<FoundChild[]> {
  const cgroupsOf = Map.groupBy(cgroups?.findLeft() ?? [], ({ name }) => name);
  const inside = new Set([...cgroupsOf.values()].flat().flatMap(({ cgroup }) => cgroup.pids()));
  const strays = new Strays(clock, inside);
  for (const { name, config } of left.records) strays.know(name, config);
  const rules = new Map<string, StopRules>();
  const recorded = new Set(left.records.map(({ name }) => name));
  const unrecorded = left.pids.map(({ name }) => name).filter((name) => !recorded.has(name));
  for (const name of new Set(unrecorded).union(cgroupsOf).union(await strays.names())) {
    const entry = config.read(name)?.entry;
    if (entry === undefined || "fault" in entry) continue;
    strays.know(name, configDigest(entry.source));
    const spec = parseIfValid(name, entry.source);
    if (spec !== null) rules.set(name, stopRulesOf(spec));
  }
  for (const record of left.records) rules.set(record.name, record.rules);
  const rulesOf = (name: string) => rules.get(name) ?? DEFAULT_RULES;
  const traceOfPid = ({ name, pid }: PidEntry): Trace => ({ name, pid, start: null, boot: null, rules: rulesOf(name) });
  const traces = [...left.records.flatMap(traceOfRecord), ...left.pids.map(traceOfPid), ...await strays.traces()];
  // What is in a cgroup is signaled there, once. If its leader is gone, so is the rest of its group.
  const outside = traces.filter(({ name, pid }) => !inside.has(pid) && !(cgroupsOf.has(name) && !exists(pid)));
  const there = Map.groupBy(outside.filter((trace) => identify(trace, view) !== "stranger"), ({ name }) => name);
  const starting = left.records.filter((record) => isStarting(record, view)).map(({ name }) => name);
  const until = clock.now() + SEARCH_MS;
  const hasCgroups = cgroups !== null;
  return [...new Set([...cgroupsOf.keys(), ...there.keys(), ...starting])].map((name) => {
    const traces = distinct(there.get(name) ?? []);
    const cgroups: Cgroup[] = (cgroupsOf.get(name) ?? []).map(({ cgroup }) => cgroup);
    const search = async () => starting.includes(name) && clock.now() < until ? await strays.traces(name) : null;
    const pids = [...traces.map(({ pid }) => pid), ...cgroups.flatMap((cgroup) => cgroup.pids())];
    const parts = { pid: pids[0] ?? 0, traces, cgroups, search, view, clock };
    return {
      name,
      pids,
      isKnown: traces.every((trace) => identify(trace, view) === "ours"),
      rules: traces[0]?.rules ?? rulesOf(name),
      open: (listener: ChildListener) => {
        return new Leftover({ ...parts, logins: hasCgroups ? loginsOf(traces, cgroups) : [], listener });
      },
    };
  });
}

/** Processes that monitors of this machine left behind. A process with a known config is one of this colony. */
class Strays {
  readonly #clock: Clock;
  /** The processes that are known by their cgroups. */
  readonly #inside: ReadonlySet<number>;
  readonly #configs = new Map<string, Set<string>>();
  #found: Promise<readonly Stray[]> = Promise.resolve([]);
  #until = -Infinity;

  constructor(clock: Clock, inside: ReadonlySet<number>) {
    this.#clock = clock;
    this.#inside = inside;
  }

  /** Adds a config that a process was started with, or may have been. */
  know(name: string, config: string): void {
    this.#configs.set(name, (this.#configs.get(name) ?? new Set()).add(config));
  }

  /** Resolves with the names of all processes, this colony's or not. */
  async names(): Promise<Set<string>> {
    return new Set((await this.#all()).map(({ name }) => name));
  }

  /** Resolves with this colony's processes, or only with those of one name. */
  async traces(of?: string): Promise<Trace[]> {
    return (await this.#all()).flatMap((stray) => {
      const { name, source, pid, group, start } = stray;
      if (
        this.#inside.has(pid) || of !== undefined && of !== name || !this.#configs.get(name)?.has(configDigest(source))
      ) return [];
      const rules = rulesOfStray(stray);
      return rules === null ? [] : [{ name, pid: group, start: pid === group ? start : null, boot: null, rules }];
    });
  }

  #all(): Promise<readonly Stray[]> {
    const now = this.#clock.now();
    if (now >= this.#until) {
      this.#until = now + FRESH_MS;
      // Deno allows reading /proc only with --allow-all. Without it, only the files are known.
      this.#found = findStrays(this.#clock).catch(() => []);
    }
    return this.#found;
  }
}

/** Returns how a process is stopped. Null if its user is not the config's: then another user pretends to be it. */
function rulesOfStray({ name, source, uid }: Stray): StopRules | null {
  const spec = parseIfValid(name, source);
  if (spec === null || uid === null) return null;
  const { user } = spec.surroundings;
  return uid === Deno.uid() || uid === (user === undefined ? spec.uid : uidOf(user)) ? stopRulesOf(spec) : null;
}

function parseIfValid(name: string, source: string): Spec | null {
  try {
    return parseSpec(name, source);
  } catch (error) {
    if (error instanceof SpecError) return null;
    throw error;
  }
}

function traceOfRecord({ name, pid, start, boot, rules }: ChildRecord): Trace[] {
  return pid === null ? [] : [{ name, pid, start, boot, rules }];
}

/** Returns whether a child was about to be started, in this boot, when its monitor was killed. */
function isStarting({ pid, boot }: ChildRecord, view: ProcView): boolean {
  try {
    return pid === null && boot !== null && boot === view.bootId();
  } catch {
    return false;
  }
}

/** Returns the logins of what ends by its cgroup, which they leave. None if that cannot be seen now. */
function loginsOf(traces: readonly Trace[], cgroups: readonly Cgroup[]): Logins[] {
  const leaders = traces.filter(({ rules }) => rules.killScope === "all" || rules.killScope === "cgroup");
  try {
    const inside = cgroups.flatMap((cgroup) => cgroup.pids()).map(readProcess).filter((info) => info !== null);
    const sessions = new Set([...leaders.map(({ pid }) => pid), ...inside.map(({ session }) => session)]);
    return [...sessions].map(loginsOfSession);
  } catch {
    // No file descriptor is left.
    return [];
  }
}

/** Returns the first trace of each pid, because records are more reliable than pid files. */
function distinct(traces: readonly Trace[]): Trace[] {
  return traces.filter(({ pid }, index) => traces.findIndex((other) => other.pid === pid) === index);
}
