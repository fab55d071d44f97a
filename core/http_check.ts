import { parseConfig, throwing } from "./config_text.ts";
import { Fields, MAX_SECONDS, type Report } from "./fields.ts";
import type { JsonObject } from "./json.ts";
import { isSameLife, type Life, UNKNOWN_LIFE } from "./life.ts";

/** The keys of `ncolony.httpcheck`. */
const KEYS = ["url", "period", "timeout", "grace", "maxBad", "expect", "headers", "unix", "ca", "insecure"];

/** How a config has its process checked over HTTP, under `ncolony.httpcheck`. */
export interface HttpCheck {
  /** The URL to request, http or https. */
  readonly url: string;
  /** How often to request it, in milliseconds. */
  readonly periodMs: number;
  /** How long a response may take before it counts as bad, in milliseconds; at most a period. */
  readonly timeoutMs: number;
  /** How long the process is not asked after a start or a restart, in milliseconds: `grace` periods. */
  readonly graceMs: number;
  /** The process is restarted after more bad responses in a row than this. */
  readonly maxBad: number;
  /** The good statuses; null: 200 to 399. */
  readonly expect: readonly number[] | "any" | null;
  /** Additional headers of the request, by name. They may replace `host`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The unix socket to connect to instead of the URL's host; null: the URL's host. */
  readonly unix: string | null;
  /** A PEM file of the certificates to trust instead of the system's; null: the system's. */
  readonly ca: string | null;
  /** Whether any server certificate is accepted. */
  readonly isInsecure: boolean;
}

/** The state of the check of one process. */
export interface HttpState {
  /** The number of bad responses in a row. */
  readonly bad: number;
  /** When the process is asked next, in milliseconds of the clock. */
  readonly askAt: number;
  /** When the process was asked last; -Infinity: never. */
  readonly askedAt: number;
  /** Whether a request is under way. */
  readonly isAsking: boolean;
  /** The life of the process when it was last looked up. */
  readonly life: Life;
  /** Whether a restart was requested in this life. Then the process is about to exit. */
  readonly isRequested: boolean;
}

/** What can happen to a check. */
export type HttpEvent =
  /** Time passed. */
  | { readonly type: "tick"; readonly life: Life }
  /** A response came, or none in time. `isGood` is null if the process could not be asked, which counts as nothing. */
  | { readonly type: "answer"; readonly isGood: boolean | null; readonly life: Life }
  /** The restart was requested from the monitor. */
  | { readonly type: "requested" };

/** What must be done: ask the process, request a restart from the monitor, or nothing. */
export type HttpEffect = "ask" | "restart" | null;

/**
 * Parses the HTTP check of a config:
 * `"ncolony.httpcheck": {"url": "http://127.0.0.1:8080/", "period": 10, "timeout": 3, "grace": 3, "maxBad": 2}`.
 * Returns null if the config has none.
 *
 * `period` and `timeout` are in seconds, at least 0.01. `grace` is a number of periods. `expect` is a status, an array
 * of them, or `"any"`. Unknown keys are errors, so that typos are noticed; Python NColony ignores them. It has no
 * `expect`, `headers`, `unix`, `ca` or `insecure`.
 *
 * @param name The name of the config.
 * @param source The text of the config.
 * @throws {SpecError} If the config is invalid. The error names the field, and never shows the URL, which may hold a
 * secret.
 *
 * @example
 * ```ts
 * import { parseHttpCheck } from "@ncolony/core";
 *
 * const check = { url: "http://127.0.0.1:8080/", period: 10, timeout: 30, grace: 3, maxBad: 2 };
 * const parsed = parseHttpCheck("web", JSON.stringify({ args: ["httpd"], "ncolony.httpcheck": check }));
 * if (parsed?.timeoutMs !== 10_000) throw new Error("unexpected");
 * ```
 */
export function parseHttpCheck(name: string, source: string): HttpCheck | null {
  return readHttpCheck(parseConfig(name, source), throwing(name));
}

/** Reads the HTTP check of a config. If a key is invalid, reports that. */
export function readHttpCheck(config: JsonObject, report: Report): HttpCheck | null {
  const fields = new Fields(config, "", report).section("ncolony.httpcheck");
  if (fields === null) return null;
  fields.only(KEYS);
  const url = fields.needed("url", fields.text("url"), "http://localhost/");
  if (!/^https?:\/\//i.test(url)) {
    report("ncolony.httpcheck.url", '"ncolony.httpcheck.url" must begin with http:// or https://');
  }
  const period = fields.needed("period", fields.period("period"), 1);
  const timeout = fields.needed("timeout", fields.period("timeout"), 1);
  const grace = fields.needed("grace", fields.number("grace", MAX_SECONDS), 0);
  const connection = {
    headers: fields.headers("headers"),
    unix: fields.path("unix") ?? null,
    ca: fields.path("ca") ?? null,
    isInsecure: fields.boolean("insecure") ?? false,
  };
  if (connection.ca !== null && !/^https:/i.test(url)) {
    report("ncolony.httpcheck.ca", '"ncolony.httpcheck.ca" has no effect if "url" begins with http://');
  }
  if (connection.ca !== null && connection.isInsecure) {
    report("ncolony.httpcheck.ca", '"ncolony.httpcheck.ca" has no effect if "insecure" is true');
  }
  return {
    url,
    periodMs: period * 1000,
    timeoutMs: Math.min(period, timeout) * 1000,
    graceMs: period * grace * 1000,
    maxBad: fields.needed("maxBad", fields.integer("maxBad", MAX_SECONDS), 0),
    expect: fields.statuses("expect"),
    ...connection,
  };
}

/** Returns whether a response with this status is good. */
export function isGoodStatus({ expect }: HttpCheck, status: number): boolean {
  if (expect === null) return status >= 200 && status <= 399;
  return expect === "any" || expect.includes(status);
}

/**
 * Returns the state in which a check begins, for the first time or again. The process is not asked during the grace,
 * nor within a period after it was asked last. What is known of its life is kept.
 */
export function beginHttpCheck({ graceMs, periodMs }: HttpCheck, now: number, before?: HttpState): HttpState {
  const askedAt = before?.askedAt ?? -Infinity;
  const askAt = Math.max(now + graceMs, askedAt + periodMs);
  const { life, isRequested } = before ?? { life: UNKNOWN_LIFE, isRequested: false };
  return { bad: 0, askAt, askedAt, isAsking: false, life, isRequested };
}

/**
 * Returns the state of a check after an event, and what must be done.
 *
 * A process is asked at the end of the grace and then once every period, however long its responses take.
 *
 * The grace begins whenever the process is started. A process that is not running is not asked. After a restart was
 * requested, the process is not asked until it was started again. A response from an earlier life is ignored. If the
 * life of the process is unknown, the grace begins when a restart is requested.
 *
 * @param check The check that the config asks for.
 * @param state The state before the event.
 * @param event What happened.
 * @param now The time, in milliseconds of the clock.
 */
export function stepHttpCheck(
  check: HttpCheck,
  state: HttpState,
  event: HttpEvent,
  now: number,
): [state: HttpState, effect: HttpEffect] {
  switch (event.type) {
    case "tick": {
      if (state.isAsking || now < state.askAt) return [state, null];
      const seen = see(check, state, event.life, now);
      if (now < seen.askAt) return [seen, null];
      const next = { ...seen, askAt: now + check.periodMs };
      if (seen.life.type === "down" || seen.isRequested) return [next, null];
      return [{ ...next, askedAt: now, isAsking: true }, "ask"];
    }
    case "answer": {
      const answered = { ...state, isAsking: false };
      if (event.isGood === null) return [answered, null];
      if (!isSameLife(event.life, state.life)) return [see(check, answered, event.life, now), null];
      const bad = event.isGood ? 0 : state.bad + 1;
      if (bad <= check.maxBad) return [{ ...answered, bad }, null];
      return [beginHttpCheck(check, now, state), "restart"];
    }
    case "requested":
      return [{ ...state, isRequested: state.life.type === "up" }, null];
  }
}

/** Begins the check again if the process was started again or stopped. */
function see(check: HttpCheck, state: HttpState, life: Life, now: number): HttpState {
  if (isSameLife(life, state.life)) return state;
  if (life.type === "unknown") return { ...state, life, isRequested: false };
  // A period from now, look up whether it is running again.
  const begun = { ...beginHttpCheck(check, life.type === "up" ? life.since : now, state), life, isRequested: false };
  return life.type === "down" ? { ...begun, askAt: now + check.periodMs } : begun;
}
