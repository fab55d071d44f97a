/**
 * What `ctl why` tells about a process: what happened to it, how it is, and what it wrote before it died.
 *
 * @module
 */

import { type Health, healthsJson } from "./health.ts";
import type { JsonObject } from "./json.ts";
import { whyStopping } from "./stale.ts";
import type { Status } from "./status.ts";
import { moment, sentenceOf } from "./story.ts";
import { describeSpan } from "./verdict.ts";
import { faultIn, isUnknown, type Seen, type View } from "./view.ts";
import { visible } from "./visible.ts";

/** All that is known about a process. */
export interface Story {
  /** The colony. Only the one process is in it. */
  readonly view: View;
  /** The process. */
  readonly seen: Seen;
  /** The events of `STATUS/.history/NAME`, the last one last. */
  readonly events: readonly JsonObject[];
  /** The last lines that it wrote to stderr before it ended unasked. */
  readonly stderr: readonly string[];
}

/** Returns the document of `ctl why --json`. */
export function storyJson({ view, seen, events, stderr }: Story): JsonObject {
  const { text, status, healths } = seen;
  const document = { version: 1, name: status.name, alive: view.isAlive, status: JSON.parse(text) };
  return {
    ...document,
    health: healthsJson(healths),
    fault: faultIn(view, seen),
    history: [...events],
    stderr: [...stderr],
  };
}

/** A story, in sentences. */
export interface Sentences {
  /** What happened, the last event last, each with its time as in the log. */
  readonly past: readonly { readonly at: string; readonly sentence: string }[];
  /** How it is, and what checkers found. */
  readonly now: readonly string[];
  /** What may keep this from being true, and where its files are. */
  readonly besides: readonly string[];
}

/** Tells a story in sentences, without what could control a terminal. */
export function storySentences({ view, seen, events }: Omit<Story, "stderr">): Sentences {
  const { name } = seen.status;
  const past = events.map((happened) => ({
    at: visible(moment(happened.at)),
    sentence: visible(sentenceOf(name, happened)),
  }));
  const now = [...howItIs(seen, view), ...[...seen.healths].flatMap(healthSentence)].map(visible);
  const faults = [stoppingOf(view), view.stale].filter((sentence) => sentence !== null);
  return { past, now, besides: [...faults, ...placesOf(seen.status, view.monitor)].map(visible) };
}

/** Returns the lines of `ctl why`, without what could control a terminal. */
export function storyLines(story: Story): string[] {
  const { past, now, besides } = storySentences(story);
  const last = story.stderr.map((line) => `  ${visible(line)}`);
  return [
    ...past.map(({ at, sentence }) => `${at}  ${sentence}`),
    ...now,
    ...last.length === 0 ? [] : ["The last lines that it wrote to stderr before it died:", ...last],
    ...besides,
  ];
}

/** Tells that the monitor is stopping. Null if it is not, or gone. */
function stoppingOf({ isAlive, monitor, now }: View): string | null {
  return isAlive === false ? null : whyStopping(monitor, now);
}

/** Tells where the config of a process is, and what it prints. */
function placesOf({ name, state }: Status, { config, logs }: JsonObject): string[] {
  const within = (directory: string, file: string) => `${directory.replace(/\/+$/, "")}/${file}`;
  const file = typeof config === "string" && state !== "removed" ? [`Config file: ${within(config, name)}`] : [];
  return [...file, ...typeof logs === "string" ? [`Log file: ${within(logs, `${name}.log`)}`] : []];
}

/** `httpcheck has found it unhealthy since 2026-01-31 03:00:44Z: status 503.` */
function healthSentence([checker, { isHealthy, since, reason }]: readonly [string, Health]): string[] {
  if (isHealthy === null) return [`${checker} has no result yet${reason === null ? "" : `: ${reason}`}.`];
  const word = isHealthy ? "healthy" : "unhealthy";
  const why = reason === null ? "" : `: ${reason}`;
  return [`${checker} has found it ${word} since ${moment(new Date(since).toISOString())}${why}.`];
}

/** Tells how a process is, in sentences. They can contain what could control a terminal. */
export function howItIs(seen: Seen, view: View): string[] {
  const { name, state, pid, since, killAt, nextStart, waitsFor, problem } = seen.status;
  const { now, isAlive } = view;
  const for_ = describeSpan(Math.max(0, now - since));
  if (isUnknown(view, seen)) {
    return [
      `No monitor is running, so the state of ${name} is unknown. The next monitor stops what is left and starts it.`,
    ];
  }
  const kill = killAt === null ? "" : `, and will be sent SIGKILL in ${describeSpan(Math.max(0, killAt - now))}`;
  const reason = isAlive === false
    ? "the monitor has ended"
    : stoppingOf(view) !== null
    ? "the monitor is stopping"
    : "the monitor has not started it yet";
  const sentences: Readonly<Record<Status["state"], string>> = {
    running: `${name} has been running for ${for_}, as pid ${pid}.`,
    waiting: `${name} will start at ${moment(nextStart === null ? undefined : new Date(nextStart).toISOString())}.`,
    stopping: `${name} has been stopping for ${for_}${kill}.`,
    killing: `${name} was sent SIGKILL ${for_} ago and has not ended.`,
    disabled: `${name} is disabled.`,
    invalid: `${name} has no valid config, so it does not run.`,
    stopped: `${name} is not running: ${reason}.`,
    removed: `${name} is no longer configured.`,
  };
  return [
    sentences[state],
    ...waitsFor === null ? [] : [`It waits for ${waitsFor}.`],
    ...problem === null ? [] : [
      state === "invalid"
        ? `Its config file is invalid: ${problem.message}.`
        : `Its config file is invalid, so its last valid config stays in use: ${problem.message}.`,
    ],
  ];
}
