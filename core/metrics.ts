/**
 * The metrics of a colony, for Prometheus.
 *
 * @module
 */

import { each, endOf, formatMetrics, type Metric, type MetricsFormat, one } from "./exposition.ts";
import { EXIT_CAUSES } from "./exit_counts.ts";
import type { Job } from "./job.ts";
import { isObject, type Json, type JsonObject, ownValue } from "./json.ts";
import { amount, seconds, textOf, time } from "./json_values.ts";
import { isAtRest, STATUS_STATES } from "./status.ts";
import { isUnknown, type Seen, type View } from "./view.ts";

const MONITOR: readonly Metric<View>[] = [
  one("ncolony_monitor_up", "Whether the monitor runs.", ({ isAlive }) => flag(isAlive)),
  one("ncolony_monitor_start_time_seconds", "When the monitor was started.", ({ monitor }) => instant(monitor.started)),
  one(
    "ncolony_monitor_last_scan_timestamp_seconds",
    "When the last full scan ended.",
    ({ monitor }) => instant(monitor.last_scan),
  ),
  one(
    "ncolony_monitor_last_scan_duration_seconds",
    "How long the last full scan took.",
    ({ monitor }) => seconds(amount(monitor.scan_ms)),
  ),
  one(
    "ncolony_monitor_scan_interval_seconds",
    "The time between two full scans.",
    ({ monitor }) => amount(monitor.frequency),
  ),
  one(
    "ncolony_monitor_problem",
    "Whether the monitor cannot read the config directory.",
    ({ monitor }) => monitor.problem === undefined ? null : flag(monitor.problem !== null),
  ),
  each(
    "ncolony_messages_total",
    "Messages that the monitor has acted on, or rejected, since its start.",
    "result",
    () => ["taken", "rejected"] as const,
    ({ monitor }, result) => amount(monitor[`messages_${result}`]),
  ),
];

const INFO: readonly Metric<null>[] = [
  one("ncolony_monitor_info", "The version of the monitor, and what ends with a process.", () => 1),
];

/** A process, as its metrics show it. */
interface Shown extends Seen {
  /** Whether it is known how it is now: the monitor lives, or nothing was left of the process when that ended. */
  readonly isKnown: boolean;
  /** What it uses, as `STATUS/.usage` tells. Empty if nothing of it is known to run. */
  readonly used: JsonObject;
}

const STATES = STATUS_STATES.filter((state) => state !== "removed");

const PROCESS: readonly Metric<Shown>[] = [
  one(
    "ncolony_process_up",
    "Whether the process runs.",
    ({ isKnown, status }) => isKnown ? flag(status.state === "running") : null,
  ),
  each(
    "ncolony_process_state",
    "Whether the process is in this state.",
    "state",
    ({ isKnown }) => isKnown ? STATES : [],
    ({ status }, state) => flag(state === status.state),
  ),
  one("ncolony_process_starts_total", "Starts of the process.", ({ status }) => status.incarnation),
  each(
    "ncolony_process_exits_total",
    "Exits of the process.",
    "cause",
    () => EXIT_CAUSES,
    ({ status }, cause) => status.exits[cause],
  ),
  one(
    "ncolony_process_last_exit_code",
    "The code with which the process last exited.",
    ({ status: { lastExit } }) => lastExit?.exit.type === "code" ? lastExit.exit.code : null,
  ),
  one(
    "ncolony_process_start_time_seconds",
    "When the process was last started.",
    ({ status }) => seconds(status.started),
  ),
  one(
    "ncolony_process_restart_delay_seconds",
    "How long the process waits before its next start.",
    ({ isKnown, status }) => isKnown ? seconds(status.delayMs) : null,
  ),
  one(
    "ncolony_process_next_start_timestamp_seconds",
    "When the process will be started, if it waits.",
    ({ isKnown, status }) => isKnown ? seconds(status.nextStart) : null,
  ),
  one(
    "ncolony_process_problem",
    "Whether the config file of the process is invalid.",
    ({ status }) => flag(status.problem !== null),
  ),
  each(
    "ncolony_process_health",
    "Whether a checker found the process healthy.",
    "check",
    ({ isKnown, healths }) => isKnown ? [...healths.keys()] : [],
    ({ healths }, check) => flag(healths.get(check)!.isHealthy),
  ),
  one(
    "ncolony_process_memory_bytes",
    "The memory that the process and its descendants use.",
    ({ used }) => amount(used.memory),
  ),
  one(
    "ncolony_process_cpu_seconds_total",
    "The processor time that the process and its descendants have used since its start.",
    ({ used }) => amount(used.cpu_seconds),
  ),
];

const RESULTS = ["success", "failure", "timeout"] as const;

const JOB: readonly Metric<Job>[] = [
  each(
    "ncolony_job_runs_total",
    "Runs of the job that ended.",
    "result",
    () => RESULTS,
    ({ runs }, result) => runs[result],
  ),
  one("ncolony_job_skipped_total", "Runs of the job that were skipped.", ({ skipped }) => skipped),
  one("ncolony_job_running", "Whether the job runs.", ({ isRunning }) => flag(isRunning)),
  one("ncolony_job_failures_in_a_row", "Runs of the job since its last success.", ({ failures }) => failures),
  one(
    "ncolony_job_last_success_timestamp_seconds",
    "When the last success of the job ended.",
    ({ lastSuccess }) => seconds(lastSuccess),
  ),
  one(
    "ncolony_job_last_duration_seconds",
    "How long the last run of the job took.",
    ({ lastDurationMs }) => seconds(lastDurationMs),
  ),
  one(
    "ncolony_job_next_run_timestamp_seconds",
    "When the next run of the job is due.",
    ({ next }) => seconds(next),
  ),
];

/**
 * Formats the metrics of a colony. Processes whose configs are gone are left out, so that their series end. So is what
 * only a monitor can know of a process, if the monitor is gone.
 *
 * @param view How the monitor, the processes and the jobs are.
 * @param format The text format.
 */
export function metricsText(view: View, format: MetricsFormat): string {
  const { monitor, jobs, processes } = view;
  const version = textOf(monitor.ncolony);
  // More than the first word tells where its cgroups are, or why it has none.
  const scope = textOf(monitor.scope)?.split(" ")[0] ?? "";
  const info = version === null ? [] : [[{ version, scope }, null] as const];
  const shown = processes.filter(({ status }) => status.state !== "removed").map((seen) => show(view, seen));
  return [
    formatMetrics(MONITOR, [[{}, view]], format),
    formatMetrics(INFO, info, format),
    formatMetrics(PROCESS, shown.map((process) => [{ name: process.status.name }, process]), format),
    formatMetrics(JOB, jobs.map((job) => [{ job: job.name }, job]), format),
    endOf(format),
  ].join("");
}

function show(view: View, seen: Seen): Shown {
  const isKnown = !isUnknown(view, seen);
  const used = ownValue(view.usage, seen.status.name);
  const isLeft = isKnown && !isAtRest(seen.status) && seen.status.state !== "waiting";
  return { ...seen, isKnown, used: isLeft && isObject(used) ? used : {} };
}

function flag(is: boolean): number;
function flag(is: boolean | null): number | null;
function flag(is: boolean | null): number | null {
  return is === null ? null : Number(is);
}

/** Returns a time in ISO 8601 in seconds since 1970. */
function instant(value: Json | undefined): number | null {
  return seconds(time(value));
}
