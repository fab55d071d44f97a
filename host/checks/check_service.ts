import type { ProcessEvent, Spec } from "@ncolony/core";
import { Configs } from "../files/configs.ts";
import { identifyPlaces } from "../files/places.ts";
import { NO_HEART, type Watchdog } from "../program/heart.ts";
import { logInternalError, type ProgramService, Run } from "../service.ts";
import type { Clock, Directory, Log, MessagesDirectory } from "../types.ts";
import { Waker } from "../waker.ts";
import { sha256 } from "../sha256.ts";
import { StatusReader } from "../files/status_reader.ts";
import { HealthReports } from "./health_reports.ts";
import { Lives, type Told } from "./lives.ts";
import { RestartRequests } from "./requests.ts";

/** How long the last lines may take to be written, in milliseconds. */
const FLUSH_MS = 1000;

/** What a check works with. */
export interface CheckParts {
  /** The time. */
  readonly clock: Clock;
  /** Where it logs what it finds. */
  readonly log: Log;
  /** The config directory, for checks of single files. */
  readonly directory: Directory;
  /** The specs in force. */
  readonly specs: ReadonlyMap<string, Spec>;
  /** Shows which processes run, and since when. */
  readonly lives: Lives;
  /** Asks for restarts. */
  readonly requests: RestartRequests;
  /** Reports the health of processes. */
  readonly health: HealthReports;
  /** Makes the service call {@linkcode Check.check} soon. */
  readonly wake: () => void;
}

/** A check of processes. */
export interface Check {
  /** Called when a process is wanted, when its spec changed, or when it is no longer wanted. */
  onEvent(name: string, event: ProcessEvent): void;
  /** Does what is due. */
  check(): void;
  /** When `check` must be called, in addition to after each scan of the configs, in the clock's milliseconds. */
  readonly due: number;
  /** Releases what it holds. */
  close(): void;
}

/** What a {@linkcode CheckService} needs. */
export interface CheckHost {
  /** The name of the program, which its messages say. */
  readonly name: string;
  /** The time. */
  readonly clock: Clock;
  /** The config directory. */
  readonly directory: Directory;
  /** The messages directory. */
  readonly messagesDirectory: MessagesDirectory;
  /** The directory of the monitor's pid files. Null if unknown. */
  readonly pids: string | null;
  /** The monitor's status directory. Null: the health of processes is not reported. */
  readonly status: string | null;
  /** Where it logs what it does. */
  readonly output: { readonly log: Log; flush(deadlineMs: number): Promise<void> };
  /** Beats while the loop runs. */
  readonly heart?: Watchdog;
}

/** Scans the configs at an interval, and runs a check of their processes. */
export class CheckService implements ProgramService {
  readonly #frequencyMs: number;
  readonly #host: CheckHost;
  readonly #waker: Waker;
  readonly #configs: Configs;
  readonly #health: HealthReports;
  readonly #check: Check;
  readonly #abort = new AbortController();
  readonly #run = new Run();
  /** The SHA-256 of each config, if the status is read. */
  readonly #hashes = new Map<string, string>();
  #exitCode = 0;

  /** Creates a service. `frequency` is the time between two scans, in seconds. */
  constructor(frequency: number, host: CheckHost, make: (parts: CheckParts) => Check) {
    const { name, clock, directory, messagesDirectory, pids, status, output: { log } } = host;
    this.#frequencyMs = frequency * 1000;
    this.#host = host;
    this.#waker = new Waker(clock);
    this.#configs = new Configs({ directory, clock, log });
    const { specs } = this.#configs;
    const reader = status === null ? null : new StatusReader(status);
    const told = (name: string) => reader === null ? null : toldOf(reader, name, this.#hashes.get(name));
    const lives = new Lives(pids, told, clock, log);
    // Without pid files, the status alone might be an old one, and the monitor drops requests about old starts.
    const incarnationOf = (name: string) => {
      return lives.of(name).type === "up" ? lives.startOf(name)?.incarnation ?? null : null;
    };
    const requests = new RestartRequests({ messagesDirectory, specs, from: name, incarnationOf, log });
    const health = new HealthReports({ status, name, clock, log });
    this.#health = health;
    this.#check = make({ clock, log, directory, specs, lives, requests, health, wake: () => this.#waker.wake() });
  }

  start(): Promise<void> {
    return this.#run.start(() => this.#open(), () => this.#finish());
  }

  get ended(): Promise<number> {
    return this.#run.ended;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#waker.wake();
    if (this.#run.isStarted) await this.ended;
  }

  fail(error: unknown): void {
    logInternalError(this.#host.output.log, error);
    this.#exitCode = 1;
    this.#abort.abort();
    this.#waker.wake();
  }

  /** Stops the service. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #open(): Promise<void> {
    identifyPlaces({ config: this.#host.directory, messages: this.#host.messagesDirectory });
    await this.#health.open();
  }

  async #finish(): Promise<number> {
    try {
      await this.#scanAndCheck();
    } catch (error) {
      // Whatever went wrong, release what is held.
      this.fail(error);
    }
    this.#check.close();
    this.#health.close();
    await this.#host.output.flush(FLUSH_MS);
    return this.#exitCode;
  }

  async #hash(name: string, event: ProcessEvent): Promise<void> {
    if (event.type !== "wanted") this.#hashes.delete(name);
    else if (this.#host.status !== null) this.#hashes.set(name, await sha256(event.spec.source));
  }

  async #scanAndCheck(): Promise<void> {
    const { signal } = this.#abort;
    const { clock, heart = NO_HEART } = this.#host;
    for (let nextScan = clock.now(); !signal.aborted;) {
      const now = clock.now();
      if (now >= Math.min(nextScan, this.#configs.due)) {
        for await (const { name, event } of this.#configs.changes("all", signal)) {
          if (event === null) continue;
          await this.#hash(name, event);
          this.#check.onEvent(name, event);
        }
        this.#health.keep();
      }
      if (now >= nextScan) nextScan = now + this.#frequencyMs;
      if (signal.aborted) return;
      this.#check.check();
      heart.beat();
      await this.#waker.wait(Math.min(nextScan, this.#configs.due, this.#check.due, heart.due));
    }
  }
}

/**
 * Returns what a status directory tells about a process. Null if it tells nothing, or may not be read.
 *
 * @param hash The SHA-256 of the config that this program knows.
 */
function toldOf(reader: StatusReader, name: string, hash: string | undefined): Told | null {
  try {
    const told = reader.process(name);
    return told === null ? null : { ...told.status, isOfConfig: told.facts.sha256 === hash };
  } catch {
    return null;
  }
}
