import { type Check, type CheckParts, CheckService } from "@ncolony/host";
import { FakeHost } from "../monitor/fake_host.ts";

/** A check that records its calls, and does what a test says. */
export class NotedCheck implements Check {
  due = Infinity;
  /** The events, each with its source. */
  readonly events: string[] = [];
  /** When it was called. */
  readonly checked: number[] = [];
  onCheck: () => void = () => {};
  closed = 0;
  readonly parts: CheckParts;

  constructor(parts: CheckParts) {
    this.parts = parts;
  }

  onEvent(name: string, event: Parameters<Check["onEvent"]>[1]): void {
    this.events.push(event.type === "wanted" ? `${name} ${event.spec.source}` : `${name} ${event.type}`);
  }

  check(): Promise<void> {
    this.checked.push(this.parts.clock.now());
    return Promise.resolve(this.onCheck());
  }

  close(): void {
    this.closed++;
  }
}

/** A service on a machine in memory that scans every 10 s. It is stopped after the test. */
export class World implements AsyncDisposable {
  readonly host = new FakeHost();
  readonly clock = this.host.clock;
  readonly config = this.host.config;
  readonly log = this.host.log;
  check!: NotedCheck;
  /** What the service did when it ended, in order. */
  readonly ended: string[] = [];
  readonly service = new CheckService(10, {
    name: "check",
    clock: this.clock,
    directory: this.config.port,
    messagesDirectory: this.host.messages.port,
    pids: "/pids",
    status: null,
    output: {
      log: this.log,
      flush: () => {
        this.ended.push(`closed ${this.check.closed} times, then flushed`);
        return Promise.resolve();
      },
    },
  }, (parts) => this.check = new NotedCheck(parts));
  exitCode: number | null = null;
  #begin = 0;

  /** Starts the service, and lets it do what it does at once. */
  async start(): Promise<void> {
    this.#begin = this.clock.now();
    this.service.ended.then((code) => this.exitCode = code);
    this.service.start();
    await this.clock.settle();
  }

  /** Returns when it checked since the last call, in milliseconds since the start. */
  takeChecked(): number[] {
    return this.check.checked.splice(0).map((instant) => instant - this.#begin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopping = this.service.stop();
    await this.clock.settle();
    await stopping;
  }
}
