/**
 * The operating system behind small interfaces: the files, children, time and streams that NColony needs.
 *
 * {@linkcode denoHost} returns the real one. Tests of a program use their own instead.
 *
 * @module
 */

import { checkInteger, childEnv, type KillScope, MAX_NOFILE, type Spec } from "@ncolony/core";
import { spawnIn } from "./children/spawn.ts";
import { denoClock } from "./clock.ts";
import { Descriptors } from "./children/descriptors.ts";
import { denoEnviron } from "./program/environ.ts";
import { configDirectory } from "./files/directory.ts";
import { colonyId } from "./scopes/colony_id.ts";
import { KillScopes } from "./scopes/kill_scopes.ts";
import { whatIsLacking } from "./scopes/lack.ts";
import { makeMissing } from "./files/own_directory.ts";
import { resolve } from "@std/path/posix/resolve";
import { lockDirectory } from "./files/lock.ts";
import { Logs } from "./output/logs.ts";
import { messageDirectory } from "./files/messages_directory.ts";
import { lackOf, requireNofile } from "./children/surroundings.ts";
import { requireRun } from "./permission.ts";
import { DenoPidFiles, noPidFiles } from "./children/pid_files.ts";
import type { Environ, Host } from "./types.ts";
import { DenoStatusFiles } from "./files/status_files.ts";
import { watchDirectories } from "./files/watch.ts";

export type {
  EndEffect,
  Entry,
  Exit,
  Group,
  Health,
  HttpCheck,
  Job,
  KillPhase,
  KillScope,
  Lack,
  Life,
  Limits,
  LogFields,
  LogLimits,
  Message,
  Origin,
  Place,
  Problem,
  ProcessEvent,
  RunResult,
  ScheduleCounts,
  ScheduleEffect,
  ScheduleEnded,
  ScheduleEvent,
  ScheduleIdle,
  ScheduleKilling,
  SchedulePolicy,
  ScheduleRunEnd,
  ScheduleRunning,
  ScheduleState,
  ScheduleStep,
  ScheduleStopping,
  Spec,
  SpecChange,
  StatusConfig,
  StatusProblem,
  StopPhase,
  StopRules,
  StopSignal,
  Surroundings,
} from "@ncolony/core";
export { WallClock } from "./wall_clock.ts";
export { Waker } from "./waker.ts";
export { Unsettled } from "./files/unsettled.ts";
export { Changes, type ChangesOptions, type FileChange, SETTLE_MS, type Touched } from "./files/changes.ts";
export { spawnChild, type SpawnOptions, whyNoScope } from "./children/spawn.ts";
export { denoClock } from "./clock.ts";
export { CHECK_OPTIONS_HELP, checkCheckOptions, type CheckOptions, parseCheckOptions } from "./checks/check_options.ts";
export { type Check, type CheckHost, type CheckParts, CheckService } from "./checks/check_service.ts";
export { Configs, type ConfigsOptions } from "./files/configs.ts";
export { configDirectory } from "./files/directory.ts";
export { type Daemon, type Parsed, parseDaemon, runDaemon } from "./program/daemon.ts";
export { EventQueue } from "./event_queue.ts";
export { faultOf, whyNotConnected } from "./deno_errors.ts";
export {
  Heart,
  type HeartOptions,
  lastBeat,
  LoopHeart,
  maybeBeat,
  NO_HEART,
  startHeart,
  statusFile,
  type Watchdog,
} from "./program/heart.ts";
export {
  formatAddress,
  type HttpAddress,
  type HttpHandler,
  HttpServer,
  SlowClientError,
} from "./program/http_server.ts";
export { type Foreground, startForeground } from "./program/foreground.ts";
export { askHttp } from "./checks/http.ts";
export type { HttpTarget } from "./checks/http_connection.ts";
export type { Answer } from "./checks/http_answer.ts";
export { HealthReports, type HealthReportsOptions } from "./checks/health_reports.ts";
export { Lives, type Start, type Told } from "./checks/lives.ts";
export { openLibc } from "./libc.ts";
export { LOCK_TIMEOUT_MS, lockDirectory } from "./files/lock.ts";
export { messageDirectory } from "./files/messages_directory.ts";
export { readSecret } from "./files/secret.ts";
export { Tail } from "./output/tail.ts";
export { sha256 } from "./sha256.ts";
export { SILENT_LOG } from "./output/log.ts";
export { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "./output/log_options.ts";
export { Output, type OutputOptions } from "./output/output.ts";
export { type Plan, type RunListener, Runner, type RunnerParts, type Times } from "./runs/runner.ts";
export { stopMsOf } from "./runs/stop_time.ts";
export { requireRun } from "./permission.ts";
export { ownKillTimeMs, ownName } from "./program/own_config.ts";
export { PidDirectory, type PidEntry } from "./children/pid_dir.ts";
export { denoEnviron, EnvironError } from "./program/environ.ts";
export { identifyPlaces, type Places } from "./files/places.ts";
export { CommandCgroup } from "./scopes/command_cgroup.ts";
export { mayReadProc } from "./scopes/proc_view.ts";
export { RestartRequests, type RestartRequestsOptions } from "./checks/requests.ts";
export { isSameFile, isSameStamp, RACY_MS } from "./files/file_stamp.ts";
export { logInternalError, type ProgramService, Run, type Service } from "./service.ts";
export { exitCodeOf, listenToSignals, type Signal, signalName, signalNumber } from "./program/signals.ts";
export * from "./program/tool.ts";
export { TimeFile } from "./files/time_file.ts";
export { JobFile } from "./files/job_file.ts";
export { StateFile } from "./files/state_file.ts";
export { KnownFaults } from "./known_faults.ts";
export { type ZoneFacts, zoneFacts } from "./program/zone_facts.ts";
export { TimeSlice } from "./time_slice.ts";
export { catchUncaught } from "./program/uncaught.ts";
export type {
  Child,
  ChildListener,
  ChildLogs,
  ChildOutput,
  Clock,
  Directory,
  DirectoryLock,
  Environ,
  FileStamp,
  FoundChild,
  Host,
  Identity,
  Log,
  MessagesDirectory,
  OnBytes,
  PidFiles,
  Reading,
  StatusFiles,
  Touch,
  TrustOptions,
  Usage,
  Watch,
  WatchListener,
} from "./types.ts";

/** What {@linkcode denoHost} can be told. */
export interface DenoHostOptions {
  /** The config directory, by which the cgroups of this colony are named. Without it, no cgroups are used. */
  readonly config?: string;
  /** The widest kill scope to use. @default {"cgroup"} */
  readonly killScope?: Exclude<KillScope, "all">;
  /** The soft limit of open files of children whose spec has none. @default {the hard limit, which Deno sets} */
  readonly nofile?: number;
  /** Looks up the variables that `env_inherit` names. @default {denoEnviron} */
  readonly environ?: Environ;
}

/**
 * Returns the machine that this program runs on.
 *
 * @throws {RangeError} If `nofile` is invalid.
 * @throws {Error} If `nofile` cannot be set, or if `--allow-run` is missing or limited to a list of commands.
 */
export function denoHost({ config, killScope = "cgroup", nofile, environ = denoEnviron }: DenoHostOptions = {}): Host {
  requireRun();
  checkInteger("nofile", nofile, 1, MAX_NOFILE);
  if (nofile !== undefined) requireNofile(nofile);
  const limited = (spec: Spec): Spec => {
    return nofile === undefined ? spec : { ...spec, surroundings: { nofile, ...spec.surroundings } };
  };
  const descriptors = new Descriptors();
  const scopes = new KillScopes({
    clock: denoClock,
    widest: killScope,
    ...(config === undefined ? {} : { colony: colonyId(config) }),
  });
  return {
    clock: denoClock,
    createDirectory: (path, trust = {}) => makeMissing(resolve(path), trust),
    directory: configDirectory,
    messagesDirectory: messageDirectory,
    watch: watchDirectories,
    lock: lockDirectory,
    pidFiles: (path, trust = {}) => {
      const cgroups = () => scopes.cgroups;
      return path === null ? noPidFiles(denoClock, cgroups) : new DenoPidFiles(path, trust, denoClock, cgroups);
    },
    open: () => scopes.open(),
    get killScope() {
      return scopes.describe();
    },
    lack: (spec) => whatIsLacking(spec, scopes) ?? lackOf(limited(spec)),
    ready: () => scopes.ready(),
    spawn: (spec, output, listener) => {
      const env = () => {
        descriptors.takeForChild();
        return childEnv(spec, environ);
      };
      return spawnIn(scopes, { ...limited(spec), env, stdin: "piped" }, output, listener, denoClock);
    },
    statusFiles: (path, trust = {}) => new DenoStatusFiles(path, trust, denoClock),
    logs: (path, log, fallback, trust) => new Logs(path, denoClock, log, fallback, trust),
    pid: Deno.pid,
    gid: Deno.gid(),
    close: () => scopes.cgroups?.close() ?? Promise.resolve(),
  };
}
