import {
  deathsOf,
  type Health,
  type Job,
  jobHealth,
  type JsonObject,
  judge,
  type Seen,
  type Status,
  type Story,
  type ToldProcess,
  type View,
  whyOld,
  whyUnhealthy,
} from "@ncolony/core";
import type { StatusReader } from "./status_reader.ts";

/**
 * Reads how the processes of a colony are. Those that are gone are left out.
 *
 * @param names The names of the processes.
 * @param now The time, in milliseconds since 1970.
 * @throws {Error} If a file cannot be read.
 */
export function readView(reader: StatusReader, names: readonly string[], now: number): View {
  const [checkers, jobs] = [reader.checkers(), reader.jobs()];
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const processes = names.flatMap((name) => {
    return see(reader, name, checkers, byName.get(name), () => reader.history(name).events, now) ?? [];
  });
  return { ...readMonitor(reader, now), jobs, processes };
}

/** Reads all that is known about a process. Null if there is none. @throws {Error} If a file cannot be read. */
export function readStory(reader: StatusReader, name: string, now: number): Story | null {
  const { events, stderr } = reader.history(name);
  const job = reader.job(name) ?? undefined;
  const seen = see(reader, name, reader.checkers(), job, () => events, now);
  if (seen === null) return null;
  const view = { ...readMonitor(reader, now), jobs: job === undefined ? [] : [job], processes: [seen] };
  return { view, seen, events, stderr };
}

/** Reads how the monitor is. @throws {Error} If a file cannot be read. */
export function readMonitor(reader: StatusReader, now: number): Omit<View, "jobs" | "processes"> {
  const [isAlive, monitor] = [reader.isAlive(), reader.json(".monitor") ?? {}];
  const stale = isAlive === false ? null : whyOld(monitor, now);
  return { now, isAlive, stale, monitor, usage: reader.json(".usage") ?? {} };
}

function see(
  reader: StatusReader,
  name: string,
  checkers: readonly string[],
  job: Job | undefined,
  history: () => readonly JsonObject[],
  now: number,
): Seen | null {
  const told = reader.process(name);
  if (told === null) return null;
  const healths = withJob(reader.healths(checkers, told.status), job, told.status);
  return judged(told, healths, deathsOf(told, history), now);
}

/** Adds what a scheduler reports about its job to what checkers report about a process. */
export function withJob(
  healths: ReadonlyMap<string, Health>,
  job: Job | undefined,
  status: Status,
): ReadonlyMap<string, Health> {
  const health = job === undefined ? null : jobHealth(job, status);
  return health === null ? healths : new Map([...healths, ["scheduler", health]]);
}

/** Judges a process that died so often in a row. */
export function judged(told: ToldProcess, healths: ReadonlyMap<string, Health>, deaths: number, now: number): Seen {
  return { ...told, healths, fault: judge(told, deaths, whyUnhealthy(healths, told.status), now) };
}
