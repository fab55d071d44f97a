import { shownText, type Spec } from "@ncolony/core";
import type { Log, PidFiles } from "@ncolony/host";

/** Writes and removes pid files. Logs the first failure, and when all is up to date again. A failure stops nothing. */
export class PidKeeper {
  readonly #files: PidFiles;
  readonly #log: Pick<Log, "info" | "warn">;
  readonly #directory: string;
  #hasFault = false;

  /** Creates a keeper. */
  constructor(files: PidFiles, log: Pick<Log, "info" | "warn">) {
    this.#files = files;
    this.#log = log;
    this.#directory = `the pid directory ${JSON.stringify(shownText(files.path ?? ""))}`;
  }

  /** Records a process before it is started. */
  prepare(spec: Spec): void {
    this.#logFault(this.#files.prepare(spec), spec.name);
  }

  /** Writes the pid of a process that was started. */
  write(spec: Spec, pid: number): void {
    this.#logFault(this.#files.write(spec, pid), spec.name);
  }

  /** Removes the pid of a process whose leader exited. For programs that read pid files, the process no longer runs. */
  removePid(name: string): void {
    this.#logFault(this.#files.removePid(name), name);
  }

  /** Removes everything that was written about a process. */
  remove(name: string): void {
    this.#logFault(this.#files.remove(name), name);
  }

  /** Repeats what failed, and repairs pid files that were changed or removed. */
  restore(): void {
    const fault = this.#files.restore();
    if (fault !== null) return this.#logFault(fault);
    if (this.#hasFault) this.#log.info(`${this.#directory} is up to date again`);
    this.#hasFault = false;
  }

  #logFault(fault: string | null, name?: string): void {
    if (fault === null || this.#hasFault) return;
    this.#hasFault = true;
    this.#log.warn(`cannot keep ${this.#directory} up to date: ${fault}`, name);
  }
}
