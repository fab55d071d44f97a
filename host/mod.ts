/**
 * The operating system, behind small interfaces: what the parts of NColony need of files, children, time and streams.
 *
 * {@linkcode denoHost} gives all of it. A program's tests put their own in its place.
 *
 * @module
 */

import { childEnv } from "@ncolony/core";
import { spawnChild } from "./child.ts";
import { denoClock } from "./clock.ts";
import { Descriptors } from "./descriptors.ts";
import { denoEnviron } from "./environ.ts";
import { configDirectory } from "./directory.ts";
import { lockDirectory } from "./lock.ts";
import { Logs } from "./logs.ts";
import { messageDirectory } from "./mailbox.ts";
import { requireRun } from "./permission.ts";
import { DenoPidFiles, noPidFiles } from "./pid_files.ts";
import type { Environ, Host } from "./types.ts";
import { watchDirectories } from "./watch.ts";

export type {
  Entry,
  Exit,
  HttpCheck,
  KillScope,
  Life,
  LogLimits,
  Message,
  Problem,
  ProcessEvent,
  Spec,
  SpecChange,
  StopRules,
  StopSignal,
} from "@ncolony/core";
export { Alarm } from "./alarm.ts";
export { Changes, type ChangesOptions, type FileChange, SETTLE_MS, type Touched } from "./changes.ts";
export { spawnChild, type Start } from "./child.ts";
export { denoClock } from "./clock.ts";
export { CHECK_OPTIONS_HELP, type CheckOptions, parseCheckOptions } from "./check_options.ts";
export { type Check, type CheckHost, type CheckParts, CheckService } from "./check_service.ts";
export { Configs, type ConfigsOptions } from "./configs.ts";
export { configDirectory } from "./directory.ts";
export type { TrustOptions } from "./trust.ts";
export { type Daemon, type Parsed, runDaemon } from "./daemon.ts";
export { EventQueue } from "./event_queue.ts";
export { faultOf } from "./fault.ts";
export {
  Heart,
  type HeartOptions,
  lastBeat,
  LoopHeart,
  maybeBeat,
  NO_HEART,
  type Passed,
  startHeart,
  statusFile,
} from "./heart.ts";
export { type Foreground, startForeground } from "./foreground.ts";
export { askHttp, type HttpTarget } from "./http.ts";
export type { Answer } from "./http_answer.ts";
export { Lives } from "./lives.ts";
export { LOCK_PATIENCE_MS, lockDirectory } from "./lock.ts";
export { messageDirectory } from "./mailbox.ts";
export { SILENT_LOG } from "./log.ts";
export { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "./log_options.ts";
export { Output, type OutputOptions } from "./output.ts";
export { requireRun } from "./permission.ts";
export { ownKillTimeMs } from "./own_config.ts";
export { PidDirectory, type PidEntry } from "./pid_dir.ts";
export { denoEnviron, EnvironError } from "./environ.ts";
export { identifyPlaces, type Places } from "./places.ts";
export { mayReadProc } from "./proc_view.ts";
export { RestartRequests, type RestartRequestsOptions } from "./requests.ts";
export { isSameFile, isSameSight, RACY_MS } from "./sight.ts";
export type { ProgramService, Service } from "./service.ts";
export { exitCodeOf, listenToSignals, type Signal, signalName, signalNumber } from "./signals.ts";
export * from "./tool.ts";
export { TimeFile } from "./time_file.ts";
export { Told } from "./told.ts";
export { type ZoneFacts, zoneFacts } from "./zone_facts.ts";
export { Turn } from "./turn.ts";
export { catchUnforeseen } from "./unforeseen.ts";
export type {
  Child,
  ChildLogs,
  ChildOutput,
  ChildSink,
  Clock,
  Directory,
  DirectoryLock,
  Environ,
  FoundChild,
  Host,
  Identity,
  Log,
  Mailbox,
  OutputSink,
  PidFiles,
  Reading,
  Sight,
  Touch,
  Watch,
  WatchSink,
} from "./types.ts";

/**
 * The machine that this program runs on.
 *
 * @param environ Where `env_inherit` looks variables up, in place of this program's environment.
 * @throws {Error} Without `--allow-run`, or with a list of commands behind it.
 */
export function denoHost(environ: Environ = denoEnviron): Host {
  requireRun();
  const descriptors = new Descriptors();
  return {
    clock: denoClock,
    directory: configDirectory,
    mailbox: messageDirectory,
    watch: watchDirectories,
    lock: lockDirectory,
    pidFiles: (path, trust = {}) => {
      return path === null ? noPidFiles(denoClock) : new DenoPidFiles(path, trust, denoClock);
    },
    spawn: (spec, output, sink) => {
      const env = () => {
        descriptors.takeForChild();
        return childEnv(spec, environ);
      };
      return spawnChild({ ...spec, env, stdin: "piped" }, output, sink, denoClock);
    },
    logs: (path, log, fallback, trust) => new Logs(path, denoClock, log, fallback, trust),
    gid: Deno.gid(),
  };
}
