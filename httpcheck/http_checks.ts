import {
  beginHttpCheck,
  type HttpCheck,
  type HttpEvent,
  type HttpState,
  isGoodStatus,
  parseHttpCheck,
  type ProcessEvent,
  SpecError,
  stepHttpCheck,
} from "@ncolony/core";
import type { Answer, askHttp, Check, CheckParts } from "@ncolony/host";

/** One process that is asked. */
interface Asked {
  readonly name: string;
  readonly check: HttpCheck;
  /** Aborts the request under way. */
  readonly abort: AbortController;
  state: HttpState;
  /** Why it cannot be asked, as it was told. */
  impossible: string | null;
}

/** Asks processes over HTTP how they are, and asks for the restart of those whose answers are bad. */
export class HttpChecks implements Check {
  readonly #parts: CheckParts;
  readonly #ask: typeof askHttp;
  readonly #asked = new Map<string, Asked>();
  /** Whose restart is still to be asked for, and why. */
  readonly #failed = new Map<string, string>();

  /** Makes one that asks nobody yet. */
  constructor(parts: CheckParts, ask: typeof askHttp) {
    this.#parts = parts;
    this.#ask = ask;
  }

  get due(): number {
    const waiting = this.#asked.values().filter(({ state }) => !state.isAsking);
    return waiting.reduce((earliest, { state }) => Math.min(earliest, state.askAt), Infinity);
  }

  onEvent(name: string, event: ProcessEvent): void {
    this.#asked.get(name)?.abort.abort();
    this.#asked.delete(name);
    this.#failed.delete(name);
    if (event.type !== "wanted") return;
    const check = this.#parse(name, event.spec.source);
    if (check === null) return;
    const state = beginHttpCheck(check, this.#parts.clock.now());
    this.#asked.set(name, { name, check, abort: new AbortController(), state, impossible: null });
  }

  async check(): Promise<void> {
    this.#prolong();
    for (const asked of this.#asked.values()) {
      if (this.#step(asked, { type: "tick" }) === "ask") this.#askOne(asked);
    }
    for (const name of await this.#parts.requests.askAll(this.#failed)) this.#failed.delete(name);
  }

  close(): void {
    for (const { abort } of this.#asked.values()) abort.abort();
    this.#asked.clear();
  }

  #parse(name: string, source: string): HttpCheck | null {
    try {
      const check = parseHttpCheck(name, source);
      if (check === null || URL.canParse(check.url)) return check;
      throw new SpecError(name, "ncolony.httpcheck.url", '"ncolony.httpcheck.url" is no URL');
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      this.#parts.log.warn(`its answers are not checked: ${error.reason}`, name);
      return null;
    }
  }

  #step(asked: Asked, event: HttpEvent): "ask" | "restart" | null {
    const [state, effect] = stepHttpCheck(asked.check, asked.state, event, this.#parts.clock.now());
    asked.state = state;
    return effect;
  }

  async #askOne(asked: Asked): Promise<void> {
    const { check: { url, timeoutMs }, abort } = asked;
    const answer = await this.#ask(url, timeoutMs, abort.signal);
    if (abort.signal.aborted) return;
    this.#take(asked, answer);
    this.#parts.wake();
  }

  #take(asked: Asked, answer: Answer): void {
    const { log } = this.#parts;
    const { name, check, state: { bad } } = asked;
    const isNews = answer.type === "impossible" && answer.reason !== asked.impossible;
    asked.impossible = answer.type === "impossible" ? answer.reason : null;
    if (answer.type === "impossible") {
      if (isNews) log.error(`cannot be asked: ${answer.reason}`, name);
      this.#step(asked, { type: "answer", isGood: null });
      return;
    }
    const isGood = answer.type === "status" && isGoodStatus(check, answer.status);
    const reason = answer.type === "status" ? `status ${answer.status}` : answer.reason;
    if (!isGood) log.warn(`bad answer ${bad + 1}, of which ${check.maxBad} are let pass: ${reason}`, name);
    else if (bad > 0) log.info(`answers well again (${reason})`, name);
    if (this.#step(asked, { type: "answer", isGood }) === "restart") {
      this.#failed.set(name, `bad answers, the last one ${reason}`);
    } else if (isGood) this.#failed.delete(name);
  }

  /** Begins the grace of those anew whose request the monitor has not read: it may do that long after it was written. */
  #prolong(): void {
    const { clock, requests } = this.#parts;
    for (const name of requests.pending()) {
      const asked = this.#asked.get(name);
      if (asked) asked.state = { ...beginHttpCheck(asked.check, clock.now()), isAsking: asked.state.isAsking };
    }
  }
}
