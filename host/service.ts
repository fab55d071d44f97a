import type { Log } from "./types.ts";

/** Something that runs inside a program, from `start` to `stop`. `await using` stops it. */
export interface Service extends AsyncDisposable {
  /**
   * Starts the service. Resolves when it is running. A stopped service cannot be started again.
   *
   * @throws {TypeError} If it has already been started.
   * @throws {Error} If something that it needs is missing, such as a directory.
   */
  start(): Promise<void>;
  /**
   * Resolves with the exit code when everything has ended: 0, or 1 if something went wrong or it could not be started.
   */
  readonly ended: Promise<number>;
  /** Asks the service to end. Resolves when everything has ended. A second call makes it hurry. */
  stop(): Promise<void>;
}

/** A {@linkcode Service} to which the program that runs it reports uncaught errors. */
export interface ProgramService extends Service {
  /** Ends in order because of an uncaught error. The exit code will be 1. */
  fail(error: unknown): void;
}

/** Logs an unexpected error with its stack. */
export function logInternalError(log: Log, error: unknown): void {
  log.error(`internal error, stopping: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
}

/** The single run of a {@linkcode Service}. */
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

  /** Opens what is needed, and begins the run. Does not wait for its end. */
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
