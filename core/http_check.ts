import { SpecError } from "./errors.ts";
import { Fields, MAX_SECONDS } from "./fields.ts";
import { parseObject } from "./json.ts";
import { isSameLife, type Life, UNKNOWN_LIFE } from "./life.ts";

/** The keys of `ncolony.httpcheck`. */
const KEYS = ["url", "period", "timeout", "grace", "maxBad", "expect", "headers", "unix", "ca", "insecure"];

/** What a config says of how to ask its process over HTTP, under `ncolony.httpcheck`. */
export interface HttpCheck {
  /** What is asked for: an http or https URL. */
  readonly url: string;
  /** It is asked for this often, in milliseconds. */
  readonly periodMs: number;
  /** An answer that takes longer is a bad one; in milliseconds, at most a period. */
  readonly timeoutMs: number;
  /** How long the process is let be after a start and after a restart, in milliseconds: `grace` periods. */
  readonly graceMs: number;
  /** More bad answers in a row than this are answered by a restart. */
  readonly maxBad: number;
  /** The statuses that are good; null: 200 to 399. */
  readonly expect: readonly number[] | "any" | null;
  /** Headers of the request besides its own, by name; `host` also. */
  readonly headers: Readonly<Record<string, string>>;
  /** The unix socket that is connected to, whatever host the URL names; null: that host. */
  readonly unix: string | null;
  /** A file of certificates, in PEM, that may sign the server's, in place of the system's; null: the system's. */
  readonly ca: string | null;
  /** Whether any certificate of the server is taken. */
  readonly isInsecure: boolean;
}

/** How it stands with one process. */
export interface HttpState {
  /** How many bad answers came in a row. */
  readonly bad: number;
  /** When it is asked next, in the clock's milliseconds. */
  readonly askAt: number;
  /** When it was asked last; -Infinity: never. */
  readonly askedAt: number;
  /** Whether an answer is waited for. */
  readonly isAsking: boolean;
  /** The life in which it was asked last. */
  readonly life: Life;
  /** Whether its restart was requested in this life, which is about to end then. */
  readonly isRequested: boolean;
}

/** What happens to a check. */
export type HttpEvent =
  /** Time passed. */
  | { readonly type: "tick"; readonly life: Life }
  /** An answer came, or none in time; null: it could not be asked, which is no fault of its. */
  | { readonly type: "answer"; readonly isGood: boolean | null; readonly life: Life }
  /** The monitor was asked for the restart. */
  | { readonly type: "requested" };

/** What must be done: ask the process, ask the monitor for a restart, or nothing. */
export type HttpEffect = "ask" | "restart" | null;

/**
 * Parses what a config says of how to ask its process:
 * `"ncolony.httpcheck": {"url": "http://127.0.0.1:8080/", "period": 10, "timeout": 3, "grace": 3, "maxBad": 2}`. Gives null
 * where it says nothing.
 *
 * `period` and `timeout` are in seconds, 0.01 at least, `grace` counts periods. `expect` may be a status, an array of them, or
 * `"any"`. Python NColony knows neither `expect` nor `headers`, `unix`, `ca` and `insecure`, and ignores unknown keys, which are
 * refused here: a typo would go unnoticed.
 *
 * @param name The name of the config.
 * @param source Its text.
 * @throws {SpecError} Where it is wrong; it names the field, and never shows the URL, which may hold a secret.
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
  const fail = (field: string | null, reason: string) => new SpecError(name, field, reason);
  const config = new Fields(parseObject(source, (reason) => fail(null, reason)), "", fail);
  const fields = config.section("ncolony.httpcheck");
  if (fields === null) return null;
  fields.only(KEYS);
  const url = fields.needed("url", fields.text("url"));
  if (!/^https?:\/\//i.test(url)) {
    throw fail("ncolony.httpcheck.url", '"ncolony.httpcheck.url" must begin with http:// or https://');
  }
  const period = fields.needed("period", fields.period("period"));
  const timeout = fields.needed("timeout", fields.period("timeout"));
  const grace = fields.needed("grace", fields.number("grace", MAX_SECONDS));
  const connection = {
    headers: fields.headers("headers"),
    unix: fields.path("unix") ?? null,
    ca: fields.path("ca") ?? null,
    isInsecure: fields.boolean("insecure") ?? false,
  };
  if (connection.ca !== null && !/^https:/i.test(url)) {
    throw fail("ncolony.httpcheck.ca", '"ncolony.httpcheck.ca" has no use where "url" begins with http://');
  }
  if (connection.ca !== null && connection.isInsecure) {
    throw fail("ncolony.httpcheck.ca", '"ncolony.httpcheck.ca" has no use where "insecure" is true');
  }
  return {
    url,
    periodMs: period * 1000,
    timeoutMs: Math.min(period, timeout) * 1000,
    graceMs: period * grace * 1000,
    maxBad: fields.needed("maxBad", fields.integer("maxBad", MAX_SECONDS)),
    expect: fields.statuses("expect"),
    ...connection,
  };
}

/** Whether an answer of this status is a good one. */
export function isGoodStatus({ expect }: HttpCheck, status: number): boolean {
  if (expect === null) return status >= 200 && status <= 399;
  return expect === "any" || expect.includes(status);
}

/**
 * How a check begins, also again: the process is left alone for the grace, and for a period since it was asked last. What is
 * known of its life stays.
 */
export function beginHttpCheck({ graceMs, periodMs }: HttpCheck, now: number, before?: HttpState): HttpState {
  const askedAt = before?.askedAt ?? -Infinity;
  const askAt = Math.max(now + graceMs, askedAt + periodMs);
  const { life, isRequested } = before ?? { life: UNKNOWN_LIFE, isRequested: false };
  return { bad: 0, askAt, askedAt, isAsking: false, life, isRequested };
}

/**
 * What becomes of a check when something happens, and what must be done.
 *
 * A process is asked at the end of the grace and then every period, however long its answers take, and never more often.
 *
 * The grace begins at the start of the process, whoever caused it. One that does not run is not asked, nor is one whose
 * restart was requested, before it was started again; an answer of an earlier life counts for nothing. Where nobody tells of
 * its life, the grace begins when its restart is asked for.
 *
 * @param check What the config says.
 * @param state How it stands.
 * @param event What happens.
 * @param now The time, in the clock's milliseconds.
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

/** A life that is another one than before begins a check. */
function see(check: HttpCheck, state: HttpState, life: Life, now: number): HttpState {
  if (isSameLife(life, state.life)) return state;
  if (life.type === "unknown") return { ...state, life, isRequested: false };
  // Whether it runs by then is not seen before.
  const begun = { ...beginHttpCheck(check, life.type === "up" ? life.since : now, state), life, isRequested: false };
  return life.type === "down" ? { ...begun, askAt: now + check.periodMs } : begun;
}
