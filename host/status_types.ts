/** The directory in which a monitor reports the state of its processes. */
export interface StatusFiles {
  /** Its path. */
  readonly path: string;
  /** Whether the lock is held, and readers see it. If not, the directory may be new and empty. */
  readonly isHeld: boolean;
  /** Locks the directory, so that readers see that the monitor lives. Returns why if that fails. */
  lock(): Promise<string | null>;
  /** Returns the names of the processes that have a file, or why they cannot be listed. */
  names(): string[] | string;
  /** Returns the text of the files of a process. Null if it has none, or they cannot be read. */
  read(name: string): { readonly status: string; readonly history: string } | null;
  /** Replaces the files of a process. Returns why if that fails. */
  write(name: string, texts: { readonly status: string; readonly history: string }): string | null;
  /** Replaces a file about the monitor itself. Returns why if that fails. */
  writeOwn(name: ".monitor" | ".usage", text: string): string | null;
  /** Returns the id of the last recorded event. 0 if there is none, or if that cannot be seen. */
  lastEventId(): number;
  /** Records events, one a line, each with its newline. Returns why if that fails; some may be recorded then. */
  record(lines: string): string | null;
  /** Removes the files of a process. Returns why if that fails. */
  remove(name: string): string | null;
  /** Creates the directory and takes the lock again if they are gone. Returns why if that fails. */
  restore(): string | null;
  /** Releases the lock. */
  close(): void;
}
