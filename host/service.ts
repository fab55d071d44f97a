/** Something that runs inside a program, from `start` to `stop`. */
export interface Service extends AsyncDisposable {
  /**
   * Starts it. Stopped, it cannot be started again.
   *
   * @returns What resolves with the exit code when everything has ended: 0, or 1 where something went wrong.
   * @throws {Error} Where a directory is missing, or something else that it cannot do without.
   */
  start(): Promise<number>;
  /** Asks it to end, and resolves when it has. Asked again, it hurries. */
  stop(): Promise<void>;
}

/** A {@linkcode Service} that a program runs, and tells of errors that nobody foresaw. */
export interface ProgramService extends Service {
  /** Resolves when it holds what it cannot do without, or rejects, as `start` does then. */
  readonly opened?: Promise<void>;
  /** Ends in order because of such an error; the exit code will be 1. */
  fail(error: unknown): void;
}
