/**
 * The pure part of NColony: it parses config and message files, finds out what a changed config means for its process,
 * and decides what happens to a process on each event.
 *
 * Nothing here depends on an operating system, a clock or a runtime: the time is an argument, and what must be done is
 * returned as data. Start with {@linkcode step}, which is the state table, and {@linkcode Specs}.
 *
 * @module
 */

export { type Beat, type BeatTimes, isStale, parseBeat } from "./beat.ts";
export {
  type Cause,
  changedKeys,
  joinCauses,
  joinRequests,
  type MessageCause,
  type Request,
  requestOf,
} from "./cause.ts";
export { childEnv } from "./child_env.ts";
export { describeDuration, describeExit, describeStep, describeStuck } from "./describe.ts";
export {
  eventLine,
  eventSentence,
  formatMonitorEvent,
  formatRecorded,
  healthEvent,
  isBadEvent,
  monitorGone,
  nextEventId,
  parseRecorded,
  type RecordedEvent,
  type ToldEvent,
} from "./event.ts";
export { type EndEffect, type KillPhase, type StopPhase, STUCK_MS } from "./ending.ts";
export { deathsOf } from "./deaths.ts";
export { digest } from "./digest.ts";
export { METRICS_CONTENT_TYPES, type MetricsFormat } from "./exposition.ts";
export { EXIT_CAUSES, type ExitCause, type ExitCounts } from "./exit_counts.ts";
export { MAX_ID, MAX_SECONDS } from "./fields.ts";
export { MessageError, SpecError, UsageError } from "./errors.ts";
export {
  beginHttpCheck,
  type HttpCheck,
  type HttpEffect,
  type HttpEvent,
  type HttpState,
  isGoodStatus,
  parseHttpCheck,
  stepHttpCheck,
} from "./http_check.ts";
export { isObject, type Json, type JsonObject, ownValue, parseObject } from "./json.ts";
export { type Place, whereNotJson } from "./json_scan.ts";
export { beginJob, foldSchedule, formatJob, type Job, jobHealth, parseJob } from "./job.ts";
export { Incidents } from "./incidents.ts";
export { type Notice, NOTICE_KINDS, type NoticeKind, noticeOf } from "./notice.ts";
export { type RunEnd, runEndOf, type RunResult } from "./run_end.ts";
export { type News, WaitingNews } from "./waiting_news.ts";
export { isSameLife, type Life, UNKNOWN_LIFE } from "./life.ts";
export { DEFAULT_KILL_TIME_MS, killTimeWithin } from "./kill_time.ts";
export { SharedPlace, WholeLines } from "./whole_lines.ts";
export { LineSplitter, MAX_LINE_BYTES, type OnLine } from "./lines.ts";
export { type LogFields, logFields, originFields } from "./log_fields.ts";
export { formatMessage, MAX_MESSAGE_BYTES, parseMessage } from "./message.ts";
export { mergePatch } from "./merge_patch.ts";
export { parseBytes } from "./bytes.ts";
export { checkChoice, checkInteger, checkNumber, checkText } from "./option.ts";
export { formatStamp, type LogStamp, type LogStream, parseStamp, STAMP_BYTES, startIn } from "./log_line.ts";
export { StampedLines } from "./stamped_lines.ts";
export { placeOf } from "./place.ts";
export { planChanges, type PlannedChange } from "./plan.ts";
export { checkConfig, type CheckedConfig, type Finding } from "./check_config.ts";
export { parseConfig } from "./config_text.ts";
export { extraKeys, type Oddity } from "./extra_keys.ts";
export { fileNameFault, isIgnored, nameFault } from "./name.ts";
export {
  deadline,
  type Effect,
  GONE,
  type Gone,
  type Killing,
  MIN_START_GAP_MS,
  type ProcessEvent,
  type ProcessState,
  type Running,
  type Stopping,
  type Then,
  type Waiting,
} from "./process.ts";
export { MAX_LOG_BYTES, MAX_LOG_KEEP, MIN_LOG_BYTES, MONITOR_KEYS } from "./spec.ts";
export { route } from "./route.ts";
export { isFailure, type ScheduleStep, stepSchedule } from "./schedule.ts";
export {
  SCHEDULE_BEGIN,
  type ScheduleCounts,
  scheduleDeadline,
  type ScheduleEffect,
  type ScheduleEnded,
  type ScheduleEvent,
  type ScheduleIdle,
  type ScheduleKilling,
  type SchedulePolicy,
  type ScheduleRunEnd,
  type ScheduleRunning,
  type ScheduleState,
  type ScheduleStopping,
} from "./schedule_state.ts";
export { quotedName, shownName, shownText } from "./shown.ts";
export { MAX_CONFIG_BYTES, parseSpec } from "./spec.ts";
export { type SpecChange, Specs } from "./specs.ts";
export {
  type Folded,
  foldStep,
  foldUnseenEnd,
  type HistoryEvent,
  isAtRest,
  type LastExit,
  newStatus,
  type Status,
  STATUS_STATES,
  type StatusProblem,
  type StatusState,
  type StatusStep,
} from "./status.ts";
export { foldConfig, type StatusConfig } from "./status_config.ts";
export {
  formatEvent,
  formatHistory,
  formatStatus,
  parseExit,
  parseSavedHistory,
  parseStatus,
  type StatusFacts,
  type ToldStatus,
} from "./status_json.ts";
export { MIN_SPAWN_RETRY_MS, type Step, step, stopLeftover } from "./step.ts";
export { type Group, MAX_NOFILE, type Surroundings } from "./surroundings.ts";
export { splitEnv } from "./unsafe_variables.ts";
export { metricsText } from "./metrics.ts";
export { currentHealth, formatHealth, type Health, healthsJson, parseHealth, whyUnhealthy } from "./health.ts";
export { whyOld, whyStopping } from "./stale.ts";
export { isStanding, type Standing, standings, standingsJson } from "./standing.ts";
export { moment, sentenceOf } from "./story.ts";
export { type Sentences, type Story, storyJson, storyLines, storySentences } from "./why.ts";
export { judgeOrder, type Order, type Outcome } from "./wait.ts";
export { describeSpan, judge, shouldRun, type Verdict } from "./verdict.ts";
export {
  exitWord,
  faultIn,
  isUnknown,
  isWell,
  processText,
  type Seen,
  summaries,
  type ToldProcess,
  untilKilled,
  type View,
  viewJson,
} from "./view.ts";
export { visible, visibleJson } from "./visible.ts";
export { visibleBytes } from "./visible_bytes.ts";
export { changesUser, needsWrappers, type Wrapped, type Wrapper, type WrapperFacts, wrappersOf } from "./wrappers.ts";
export {
  type Entry,
  type Exit,
  KILL_SCOPES,
  type KillScope,
  type Lack,
  type Limits,
  type LogLimits,
  type Message,
  type Origin,
  type Problem,
  type RestartPolicy,
  SCOPE_WIDTHS,
  type Spec,
  STOP_SIGNALS,
  type StopRules,
  stopRulesOf,
  type StopSignal,
} from "./types.ts";
