import { NO_HEART } from "@ncolony/host";
import { MIN_START_GAP_MS, type ProcessEvent, type RestartPolicy, type Spec } from "@ncolony/core";
import { Scanner } from "../../monitor/scanner.ts";
import { logStep } from "../../monitor/lines.ts";
import { Statuses } from "../../monitor/statuses.ts";
import { StopTime } from "../../monitor/stop_time.ts";
import { Supervisor } from "../../monitor/supervisor.ts";
import { sample } from "../core/samples.ts";
import { warningsOf } from "../../monitor/warnings.ts";
import { FakeHost } from "./fake_host.ts";

/** The default delays of the monitor. */
export const POLICY: RestartPolicy = { thresholdMs: 1000, minDelayMs: 1000, maxDelayMs: 8000, killTimeMs: 5000 };

/** The default interval between full scans. */
export const FREQUENCY_MS = 10_000;

/** The minimum time between two restarts of a process by messages. */
export const RESTART_GAP_MS = 1000;

/** Returns a valid config with this command. `more` adds keys to it. */
export function config(command: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ args: [command], ...more });
}

/** Returns a message that asks for the restart of one process. */
export function restart(name: string): string {
  return JSON.stringify({ type: "RESTART", name });
}

/** A supervisor on a fake host. */
export class SupervisorWorld implements AsyncDisposable {
  readonly host = new FakeHost();
  readonly supervisor: Supervisor;
  readonly statuses = new Statuses({
    wall: () => this.host.clock.wall(),
    saved: () => null,
    isWhole: true,
    record: () => 0,
    onChange: () => {},
  });
  /** The result of `run()`, or null. */
  exitCode: number | null = null;

  constructor(policy: Partial<RestartPolicy> = {}, stopWithinMs = Infinity) {
    const { log, pids } = this.host;
    const output = { stdout: () => {}, stderr: () => {}, end: () => {} };
    this.supervisor = new Supervisor(this.host, {
      log,
      onStep: (step, fields) => logStep(log, step, fields),
      policy: { ...POLICY, ...policy },
      pidFiles: pids,
      stopTime: new StopTime(stopWithinMs),
      statuses: this.statuses,
      onScanned: () => {},
      output: () => output,
    });
    this.supervisor.run().then((exitCode) => {
      this.exitCode = exitCode;
    });
  }

  /** Creates a world that has run these processes for long enough to restart them at once. */
  static async running(...names: string[]): Promise<SupervisorWorld> {
    const world = new SupervisorWorld();
    for (const name of names) world.post(name, { type: "wanted", spec: sample(name) });
    await world.advance(MIN_START_GAP_MS);
    world.host.log.take();
    return world;
  }

  post(name: string, event: ProcessEvent): void {
    this.supervisor.post({ name, event });
  }

  settle(): Promise<void> {
    return this.host.clock.settle();
  }

  advance(byMs: number): Promise<void> {
    return this.host.clock.advance(byMs);
  }

  /** Makes a process wanted, and waits for what follows. */
  async want(name: string, more: Record<string, unknown> = {}): Promise<void> {
    this.post(name, { type: "wanted", spec: sample(name, more) });
    await this.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.supervisor.close();
    this.supervisor.close();
    await this.settle();
  }
}

/** The options of a {@linkcode ScannerWorld}. */
export interface ScannerSetting {
  /** The configs that exist before the scanner starts. */
  readonly configs?: Readonly<Record<string, string>>;
  readonly frequencyMs?: number;
}

/** A scanner on a fake host, and the events that it posts. */
export class ScannerWorld implements AsyncDisposable {
  readonly host = new FakeHost();
  readonly scanner: Scanner;
  /** The posted events: `web wanted httpd`, `web unwanted`, `web restart`. */
  readonly posts: string[] = [];
  /** The number of full scans. */
  scans = 0;
  /** The error that `run()` threw, or null. */
  error: unknown = null;
  /** Whether `run()` has ended. */
  hasEnded = false;
  #taken = 0;

  constructor({ configs = {}, frequencyMs = FREQUENCY_MS }: ScannerSetting = {}) {
    for (const [name, text] of Object.entries(configs)) this.config.write(name, text);
    this.scanner = new Scanner(this.host, {
      config: this.config.port,
      messagesDirectory: this.messages.port,
      own: {},
      frequencyMs,
      heart: NO_HEART,
      log: this.host.log,
      warningsOf: (spec) =>
        warningsOf(spec, { gid: this.host.gid, killTimeMs: 5000, stopTime: new StopTime(Infinity) }),
      post: (posted) => {
        if ("event" in posted) this.posts.push(describe(posted.name, posted.event));
      },
      onScan: () => void this.scans++,
    });
  }

  /** Creates a world in which every file is old, and forgets what was posted and logged so far. */
  static async idle(configs: Readonly<Record<string, string>> = {}): Promise<ScannerWorld> {
    const world = new ScannerWorld({ configs });
    await world.start();
    await world.advance(2 * FREQUENCY_MS + 5000);
    world.take();
    world.log.take();
    return world;
  }

  get config(): FakeHost["config"] {
    return this.host.config;
  }

  get messages(): FakeHost["messages"] {
    return this.host.messages;
  }

  get log(): FakeHost["log"] {
    return this.host.log;
  }

  /** Opens and runs the scanner, and waits for the first scan. */
  async start(): Promise<void> {
    await this.scanner.open();
    this.scanner.run().catch((error) => {
      this.error = error;
    }).finally(() => {
      this.hasEnded = true;
    });
    await this.settle();
  }

  settle(): Promise<void> {
    return this.host.clock.settle();
  }

  advance(byMs: number): Promise<void> {
    return this.host.clock.advance(byMs);
  }

  /** Returns the events since the previous `take()`. */
  take(): string[] {
    const posts = this.posts.slice(this.#taken);
    this.#taken = this.posts.length;
    return posts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.scanner.close();
    await this.settle();
    if (this.error !== null) throw this.error;
  }
}

function describe(name: string, event: ProcessEvent): string {
  return event.type === "wanted" ? `${name} wanted ${commandOf(event.spec)}` : `${name} ${event.type}`;
}

function commandOf({ args }: Spec): string {
  return args.join(" ");
}
