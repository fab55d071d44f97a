import type { Log } from "./types.ts";

/** Something that runs inside a program, from `start` to `stop`. `await using` stops it. */
export interface Service extends AsyncDisposable {
  /**
   * Starts it, and resolves when it runs. Stopped, it cannot be started again.
   *
   * @throws {TypeError} Where it was started before.
   * @throws {Error} Where a directory is missing, or something else that it cannot do without.
   */
  start(): Promise<void>;
  /** Resolves with the exit code when everything has ended: 0, or 1 where something went wrong, or it could not be started. */
  readonly ended: Promise<number>;
  /** Asks it to end, and resolves when everything has. Asked again, it hurries. */
  stop(): Promise<void>;
}

/** A {@linkcode Service} that a program runs, and tells of uncaught errors. */
export interface ProgramService extends Service {
  /** Ends in order because of such an error; the exit code will be 1. */
  fail(error: unknown): void;
}

/** Logs an error that nobody foresaw, with its stack. */
export function logInternalError(log: Log, error: unknown): void {
  log.error(`internal error, stopping: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
}

/** The one run of a {@linkcode Service}. */
export class Run {
  readonly #ended = Promise.withResolvers<number>();
  #isStarted = false;

  /** As {@linkcode Service.ended}. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  /** Whether it was started. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Opens what is needed, and then runs until the end, for which nobody waits here. */
  async start(open: () => void | Promise<void>, run: () => Promise<number>): Promise<void> {
    if (this.#isStarted) throw new TypeError("Cannot start a service twice");
    this.#isStarted = true;
    try {
      await open();
    } catch (error) {
      this.#ended.resolve(1);
      throw error;
    }
    this.#ended.resolve(run());
  }
}
