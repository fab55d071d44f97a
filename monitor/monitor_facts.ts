import type { Clock } from "@ncolony/host";
import manifest from "./deno.json" with { type: "json" };
import type { Options } from "./options.ts";

/** How many messages were taken and rejected. */
export interface MessageCounts {
  /** Those that were acted on. */
  readonly taken: number;
  /** Those that were invalid. */
  readonly rejected: number;
}

/** What `STATUS/.monitor` tells about the monitor itself. */
export class MonitorFacts {
  readonly #options: Options;
  readonly #clock: Pick<Clock, "wall">;
  readonly #started: string;
  #stopping: string | null = null;
  #stopped: string | null = null;
  #lastScan: string | null = null;
  #scanMs: number | null = null;

  /** Creates the facts of a monitor that starts now. */
  constructor(options: Options, clock: Pick<Clock, "wall">) {
    this.#options = options;
    this.#clock = clock;
    this.#started = this.#now();
  }

  /** Notes a full scan. */
  scanned(tookMs: number): void {
    this.#lastScan = this.#now();
    this.#scanMs = Math.round(tookMs);
  }

  /** Notes that the monitor was asked to stop. */
  stopping(): void {
    this.#stopping ??= this.#now();
  }

  /** Notes the end of the monitor. */
  ended(): void {
    this.#stopped = this.#now();
  }

  /** Returns the content of the file. */
  toJson(pid: number, scope: string, problem: string | null, { taken, rejected }: MessageCounts): object {
    const { config, messages, pid: pids = null, logs = null, frequency, threshold, killtime } = this.#options;
    return {
      version: 1,
      ncolony: manifest.version,
      pid,
      started: this.#started,
      stopping: this.#stopping,
      stopped: this.#stopped,
      config,
      messages,
      pids,
      logs,
      frequency,
      threshold,
      kill_time: killtime,
      last_scan: this.#lastScan,
      scan_ms: this.#scanMs,
      messages_taken: taken,
      messages_rejected: rejected,
      scope,
      problem,
    };
  }

  #now(): string {
    return new Date(this.#clock.wall()).toISOString();
  }
}
