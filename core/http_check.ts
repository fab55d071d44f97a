import { SpecError } from "./errors.ts";
import { Fields, MAX_SECONDS } from "./fields.ts";
import { parseObject } from "./json.ts";

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
}

/** How it stands with one process. */
export interface HttpState {
  /** How many bad answers came in a row. */
  readonly bad: number;
  /** When it is asked next, in the clock's milliseconds. */
  readonly askAt: number;
  /** Whether an answer is waited for. */
  readonly isAsking: boolean;
}

/** What happens to a check. */
export type HttpEvent =
  /** Time passed. */
  | { readonly type: "tick" }
  /** An answer came, or none in time; null: it could not be asked, which is no fault of its. */
  | { readonly type: "answer"; readonly isGood: boolean | null };

/** What must be done: ask the process, ask the monitor for a restart, or nothing. */
export type HttpEffect = "ask" | "restart" | null;

/**
 * Parses what a config says of how to ask its process:
 * `"ncolony.httpcheck": {"url": "http://127.0.0.1:8080/", "period": 10, "timeout": 3, "grace": 3, "maxBad": 2}`. Gives null
 * where it says nothing.
 *
 * `period` and `timeout` are in seconds, 0.01 at least, `grace` counts periods. `expect` may be a status, an array of them, or
 * `"any"`. Further keys are let be, as in Python NColony.
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
  const url = fields.needed("url", fields.text("url"));
  if (!/^https?:\/\//i.test(url)) {
    throw fail("ncolony.httpcheck.url", '"ncolony.httpcheck.url" must begin with http:// or https://');
  }
  const period = fields.needed("period", fields.period("period"));
  const timeout = fields.needed("timeout", fields.period("timeout"));
  const grace = fields.needed("grace", fields.number("grace", MAX_SECONDS));
  return {
    url,
    periodMs: period * 1000,
    timeoutMs: Math.min(period, timeout) * 1000,
    graceMs: period * grace * 1000,
    maxBad: fields.needed("maxBad", fields.integer("maxBad", MAX_SECONDS)),
    expect: fields.statuses("expect"),
  };
}

/** Whether an answer of this status is a good one. */
export function isGoodStatus({ expect }: HttpCheck, status: number): boolean {
  if (expect === null) return status >= 200 && status <= 399;
  return expect === "any" || expect.includes(status);
}

/** How a check begins: the process is let be for the grace. */
export function beginHttpCheck({ graceMs }: HttpCheck, now: number): HttpState {
  return { bad: 0, askAt: now + graceMs, isAsking: false };
}

/**
 * What becomes of a check when something happens, and what must be done.
 *
 * A process is asked at the end of the grace and then every period, however long its answers take. Of moments that passed
 * while an answer was waited for, or while the machine slept, one is made up for. After a restart the check begins anew, but
 * not before the next period.
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
  if (event.type === "tick") {
    if (state.isAsking || now < state.askAt) return [state, null];
    const late = (now - state.askAt) % check.periodMs;
    return [{ ...state, askAt: now - late + check.periodMs, isAsking: true }, "ask"];
  }
  if (event.isGood === null) return [{ ...state, isAsking: false }, null];
  const bad = event.isGood ? 0 : state.bad + 1;
  if (bad > check.maxBad) {
    const begun = beginHttpCheck(check, now);
    return [{ ...begun, askAt: Math.max(begun.askAt, state.askAt) }, "restart"];
  }
  return [{ ...state, bad, isAsking: false }, null];
}
