import type { Answer } from "@ncolony/host";
import { HttpChecks } from "../../httpcheck/http_checks.ts";
import { CheckWorld } from "../host/check_world.ts";

/** A request that waits for its answer. */
export interface Request {
  readonly url: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly answer: (answer: Answer) => void;
}

/** Checks whose requests a test answers. */
export class World extends CheckWorld {
  /** The requests, the oldest first. */
  readonly requests: Request[] = [];
  readonly checks = new HttpChecks(this.parts, ({ url }, timeoutMs, signal) => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.requests.push({ url, timeoutMs, signal, answer: resolve });
    return promise;
  });

  /** Adds a process that is checked every 10 s, from 30 s after its config changed. One bad answer is tolerated. */
  answering(name: string, keys: Record<string, unknown> = {}): void {
    const section = { url: `http://${name}/?hunter2`, period: 10, timeout: 3, grace: 3, maxBad: 1, ...keys };
    this.want(this.checks, name, { "ncolony.httpcheck": section });
  }

  /** Advances the clock by some seconds, then calls the check. */
  async pass(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1000);
    this.checks.check();
  }

  /** Answers all requests, and waits for what follows. */
  async answer(answer: Answer): Promise<void> {
    for (const request of this.requests.splice(0)) request.answer(answer);
    await this.clock.settle();
    this.checks.check();
  }

  /** Lets a period pass, and answers the requests. Returns their number. */
  async round(answer: Answer, seconds = 10): Promise<number> {
    await this.pass(seconds);
    const { length } = this.requests;
    await this.answer(answer);
    return length;
  }
}
