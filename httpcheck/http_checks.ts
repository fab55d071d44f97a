import {
  beginHttpCheck,
  type HttpCheck,
  type HttpEvent,
  type HttpState,
  isGoodStatus,
  isSameLife,
  parseHttpCheck,
  type ProcessEvent,
  SpecError,
  stepHttpCheck,
} from "@ncolony/core";
import type { Answer, askHttp, Check, CheckParts, Start } from "@ncolony/host";

/** The delay after a bad response, in milliseconds. If the process has exited, the monitor notices it meanwhile. */
const SEEN_MS = 500;

/** A process that is checked. */
interface Asked {
  readonly name: string;
  readonly check: HttpCheck;
  /** Aborts the request under way. */
  readonly abort: AbortController;
  state: HttpState;
  /** Why the process cannot be asked, as last logged; null if it can. */
  impossible: string | null;
}

/** Checks processes over HTTP, and requests restarts of those whose responses are bad. */
export class HttpChecks implements Check {
  readonly #parts: CheckParts;
  readonly #ask: typeof askHttp;
  readonly #asked = new Map<string, Asked>();
  /** The processes whose restart must still be requested, and why. */
  readonly #failed = new Map<string, string>();

  /** Creates a checker. */
  constructor(parts: CheckParts, ask: typeof askHttp) {
    this.#parts = parts;
    this.#ask = ask;
  }

  get due(): number {
    const waiting = this.#asked.values().filter(({ state }) => !state.isAsking);
    return waiting.reduce((earliest, { state }) => Math.min(earliest, state.askAt), Infinity);
  }

  onEvent(name: string, event: ProcessEvent): void {
    const before = this.#asked.get(name)?.state;
    this.#asked.get(name)?.abort.abort();
    this.#asked.delete(name);
    this.#failed.delete(name);
    if (event.type === "unwanted") this.#parts.lives.forget(name);
    if (event.type !== "wanted") return this.#parts.health.forget(name);
    const check = this.#parse(name, event.spec.source);
    if (check === null) return;
    const state = beginHttpCheck(check, this.#parts.clock.now(), before);
    this.#asked.set(name, { name, check, abort: new AbortController(), state, impossible: null });
  }

  check(): void {
    this.#prolong();
    const now = this.#parts.clock.now();
    for (const asked of this.#asked.values()) {
      const { name, state } = asked;
      // The pid file of a process that is not due is not read.
      if (state.isAsking || now < state.askAt) continue;
      if (this.#step(asked, { type: "tick", life: this.#parts.lives.of(name) }) === "ask") this.#askOne(asked);
    }
    for (const name of this.#failed.keys()) if (this.#isAnotherLife(name)) this.#failed.delete(name);
    for (const name of this.#parts.requests.askAll(this.#failed)) {
      this.#failed.delete(name);
      const asked = this.#asked.get(name);
      if (asked) this.#step(asked, { type: "requested" });
    }
  }

  close(): void {
    for (const { abort } of this.#asked.values()) abort.abort();
    this.#asked.clear();
  }

  #parse(name: string, source: string): HttpCheck | null {
    try {
      const check = parseHttpCheck(name, source);
      const field = check === null ? null : whatIsNoUrl(check);
      if (field === null) {
        if (check === null) this.#parts.health.forget(name);
        else this.#parts.health.expect(name, null);
        return check;
      }
      throw new SpecError(name, field, `"${field}" is not a valid ${field.endsWith("url") ? "URL" : "host"}`);
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      this.#parts.log.warn(`HTTP responses are not checked: ${error.reason}`, name);
      this.#parts.health.expect(name, error.reason);
      return null;
    }
  }

  /** Returns whether a process was started again, or exited, since its bad responses. */
  #isAnotherLife(name: string): boolean {
    const life = this.#asked.get(name)?.state.life;
    return life !== undefined && !isSameLife(life, this.#parts.lives.of(name));
  }

  #step(asked: Asked, event: HttpEvent): "ask" | "restart" | null {
    const [state, effect] = stepHttpCheck(asked.check, asked.state, event, this.#parts.clock.now());
    asked.state = state;
    return effect;
  }

  async #askOne(asked: Asked): Promise<void> {
    const { name, check, abort } = asked;
    const start = this.#parts.lives.startOf(name);
    const answer = await this.#ask(check, check.timeoutMs, abort.signal);
    if (this.#parts.lives.isKnown && findingOf(check, answer).isHealthy !== true) await this.#pause(SEEN_MS);
    if (abort.signal.aborted) return;
    this.#tellHealth(asked, answer, start);
    this.#take(asked, answer);
    this.#parts.wake();
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.after(delayMs, resolve));
  }

  #take(asked: Asked, answer: Answer): void {
    const { log, lives } = this.#parts;
    const { name, check, state: { bad } } = asked;
    const life = lives.of(name);
    const note = answer.type === "impossible" && answer.reason !== asked.impossible;
    asked.impossible = answer.type === "impossible" ? answer.reason : null;
    if (answer.type === "impossible") {
      if (note) log.error(`cannot check over HTTP: ${answer.reason}`, name);
      this.#step(asked, { type: "answer", isGood: null, life });
      return;
    }
    const { isHealthy: isWell, reason } = findingOf(check, answer);
    if (!isSameLife(life, asked.state.life)) {
      log.debug(`late response ignored, the process stopped or was restarted meanwhile: ${reason}`, name);
    } else if (!isWell) {
      log.warn(`bad response ${bad + 1} (restart after more than ${check.maxBad} in a row): ${reason}`, name);
    } else if (bad > 0) log.info(`good response again (${reason})`, name);
    if (this.#step(asked, { type: "answer", isGood: isWell, life }) === "restart") {
      this.#failed.set(name, `too many bad responses (last: ${reason})`);
    } else if (isWell) this.#failed.delete(name);
  }

  /** Tells what an answer says about the start of the process that was asked. */
  #tellHealth({ name, check, state }: Asked, answer: Answer, asked: Start | null): void {
    const { lives, health, clock } = this.#parts;
    const start = lives.startOf(name);
    const isOther = asked !== null && start !== null && asked.incarnation !== start.incarnation;
    if (isOther || start?.isOfConfig === false || !isSameLife(lives.of(name), state.life)) return;
    const incarnation = start?.incarnation ?? null;
    health.report(name, { ...findingOf(check, answer), last: clock.wall(), incarnation });
  }

  /** Begins the grace of processes of unknown life again while the monitor has not read their restart requests. */
  #prolong(): void {
    const { clock, requests } = this.#parts;
    for (const name of requests.pending()) {
      const asked = this.#asked.get(name);
      if (asked?.state.life.type !== "unknown") continue;
      asked.state = { ...beginHttpCheck(asked.check, clock.now(), asked.state), isAsking: asked.state.isAsking };
    }
  }
}

/** Returns the field that cannot be part of a URL, or null. */
function whatIsNoUrl({ url, headers }: HttpCheck): string | null {
  if (!URL.canParse(url) || !isDecodable(new URL(url))) return "ncolony.httpcheck.url";
  const host = Object.keys(headers).find((name) => name.toLowerCase() === "host");
  return host === undefined || isHost(headers[host]!) ? null : `ncolony.httpcheck.headers.${host}`;
}

/** Returns whether the user name and the password of a URL can be decoded. */
function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/** Returns whether a text is a host, with or without a port, and no other part of a URL. */
function isHost(text: string): boolean {
  return /^[^\s/?#@\\]+$/.test(text) && URL.canParse(`https://${text}`);
}

/** What an answer says about a process. `isHealthy` is null if it could not be asked. */
function findingOf(check: HttpCheck, answer: Answer): { readonly isHealthy: boolean | null; readonly reason: string } {
  if (answer.type === "status") return { isHealthy: isGoodStatus(check, answer.status), reason: statusText(answer) };
  return { isHealthy: answer.type === "impossible" ? null : false, reason: answer.reason };
}

function statusText({ status, hint }: Extract<Answer, { type: "status" }>): string {
  return hint === undefined ? `status ${status}` : `status ${status} (${hint})`;
}
