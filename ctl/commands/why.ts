import {
  describeSpan,
  type Health,
  healthsJson,
  isAtRest,
  type JsonObject,
  judge,
  type Status,
  visible,
  visibleJson,
  whyUnhealthy,
} from "@ncolony/core";
import { denoClock, type ToldProcess } from "@ncolony/host/read-tool";
import { type ParsedArgs, printShown } from "@ncolony/host/tool";
import { join } from "@std/path/posix/join";
import { deathsOf } from "../deaths.ts";
import { exactly } from "../operands.ts";
import { moment, sentenceOf } from "../story.ts";
import { whyOld, whyStopping } from "../stale.ts";
import { openStatus } from "../told.ts";
import { noSuchProcess, NOT_WELL, NOTHING } from "../unknown.ts";

/**
 * Explains what happened to a process: `why NAME`.
 *
 * @returns The exit code: 0 if it is well, 3 if it is not, 4 if there is no monitor.
 * @throws {ExitError} With 4 if there is no status, or no such process.
 */
export function run(words: ParsedArgs): number {
  const [name] = exactly(words, "NAME");
  const { reader, known } = openStatus(words);
  const told = reader.process(name);
  if (told === null) throw noSuchProcess(name, known.filter((other) => other !== name));
  const { events, stderr } = reader.history(name);
  const isAlive = reader.isAlive();
  const healths = reader.healths(reader.checkers(), told.status);
  const fault = judge(told, deathsOf(told, () => events), whyUnhealthy(healths, told.status), denoClock.wall());
  const monitor = reader.json(".monitor") ?? {};
  const now = isAlive === false ? {} : monitor;
  const [stale, stopping] = [whyOld(now, denoClock.wall()), whyStopping(now, denoClock.wall())];
  const story: Story = { told, healths, events, stderr, isAlive, monitor, stopping, stale };
  printShown(words.flags.has("json") ? toJson(story) : toText(story));
  return isAlive === false ? NOTHING : fault === null && stale === null ? 0 : NOT_WELL;
}

/** All that is known about a process. */
interface Story {
  readonly told: ToldProcess;
  readonly healths: ReadonlyMap<string, Health>;
  readonly events: readonly JsonObject[];
  readonly stderr: readonly string[];
  readonly isAlive: boolean | null;
  /** What the monitor last told about itself. */
  readonly monitor: JsonObject;
  /** That the monitor is stopping. Null if it is not. */
  readonly stopping: string | null;
  /** Why all may be old. Null if it is not. */
  readonly stale: string | null;
}

function toJson({ told: { text, status }, healths, events, stderr, isAlive }: Story): string {
  const document = { version: 1, name: status.name, alive: isAlive, status: JSON.parse(text) };
  return visibleJson(JSON.stringify({ ...document, health: healthsJson(healths), history: events, stderr }));
}

function toText({ told, healths, events, stderr, isAlive, monitor, stopping, stale }: Story): string {
  const { name } = told.status;
  const past = events.map((happened) => `${moment(happened.at)}  ${sentenceOf(name, happened)}`);
  const last = stderr.length === 0
    ? []
    : ["The last lines that it wrote to stderr before it died:", ...stderr.map((line) => `  ${line}`)];
  return [
    ...past,
    ...now(told, isAlive, stopping !== null),
    ...[...healths].flatMap(healthSentence),
    ...last,
    ...[stopping, stale].filter((sentence) => sentence !== null),
    ...placesOf(told.status, monitor),
  ].map(visible).join("\n");
}

/** Tells where the config of a process is, and what it prints. */
function placesOf({ name, state }: Status, { config, logs }: JsonObject): string[] {
  const file = typeof config === "string" && state !== "removed" ? [`Its config is ${join(config, name)}`] : [];
  return [...file, ...typeof logs === "string" ? [`Its log, if it has one, is ${join(logs, `${name}.log`)}`] : []];
}

/** `httpcheck has found it unhealthy since 2026-01-31 03:00:44Z: status 503.` */
function healthSentence([checker, { isHealthy, since, reason }]: readonly [string, Health]): string[] {
  if (isHealthy === null) return [`${checker} has no result yet${reason === null ? "" : `: ${reason}`}.`];
  const word = isHealthy ? "healthy" : "unhealthy";
  const why = reason === null ? "" : `: ${reason}`;
  return [`${checker} has found it ${word} since ${moment(new Date(since).toISOString())}${why}.`];
}

/** Tells how things stand. */
function now({ status, text }: ToldProcess, isAlive: boolean | null, isStopping: boolean): string[] {
  const { name, state, pid, since, killAt, waitsFor, problem } = status;
  const told: JsonObject = JSON.parse(text);
  const for_ = describeSpan(Math.max(0, denoClock.wall() - since));
  if (isAlive === false && !isAtRest(status)) {
    return [
      `No monitor is running, so the state of ${name} is unknown. The next monitor stops what is left and starts it.`,
    ];
  }
  const sentences: Readonly<Record<string, string>> = {
    running: `${name} has been running for ${for_}, as pid ${pid}.`,
    waiting: `${name} will be started at ${moment(told.next_start)}.`,
    stopping: `${name} has been stopping for ${for_}${
      killAt === null ? "" : `, and will be sent SIGKILL in ${describeSpan(Math.max(0, killAt - denoClock.wall()))}`
    }.`,
    killing: `${name} was sent SIGKILL ${for_} ago and has not ended.`,
    disabled: `${name} is disabled.`,
    invalid: `${name} has no valid config, so it does not run.`,
    stopped: `${name} is not running: ${
      isAlive === false
        ? "the monitor has ended"
        : isStopping
        ? "the monitor is stopping"
        : "the monitor has not started it yet"
    }.`,
    removed: `${name} is no longer configured.`,
  };
  return [
    sentences[state]!,
    ...waitsFor === null ? [] : [`It waits for ${waitsFor}.`],
    ...problem === null ? [] : [
      state === "invalid"
        ? `Its config file is invalid: ${problem.message}.`
        : `Its config file is invalid, so its last valid config stays in use: ${problem.message}.`,
    ],
  ];
}
