import type { Exit, KillScope, StopSignal } from "@ncolony/core";

/** What happens to a child: `leaderExited` is called once, then `groupExited` once. */
export interface ChildListener {
  /** The leader exited, or could not be started. */
  leaderExited(exit: Exit): void;
  /** The leader of a child that daemonizes exited with 0. The child goes on, and this is its oldest process. */
  wentToBackground?(pid: number): void;
  /** No process is left in its kill scope. */
  groupExited(): void;
  /** Something that the user should know. Called once for each. */
  warn(message: string): void;
}

/** A child that was started. */
export interface Child {
  /** The pid of the leader, which is also the id of the process group. */
  readonly pid: number;
  /** Which processes signals go to. */
  readonly scope: Exclude<KillScope, "all">;
  /** Whether the operating system refused the last signal. */
  readonly refused: boolean;
  /** Sends a signal to the processes that are left. It is not an error if there are none. */
  signal(signal: StopSignal): void;
  /** Sends the last signal again if it was refused, and reports what its limits did. Called at each full scan. */
  retry(): void;
  /** Lists the pids that are left with their states, as far as they are visible: `pid 4711 (sleeping)`. */
  whoIsLeft(): string;
  /** What it and its descendants use. Null if it has no cgroup of its own. */
  usage(): Usage | null;
}

/** What a child and its descendants use. */
export interface Usage {
  /** Memory, in bytes. Null if the memory controller is not enabled. */
  readonly memoryBytes: number | null;
  /** Processor time since the start, in seconds. */
  readonly cpuSeconds: number;
  /** How many processes there are. */
  readonly processes: number;
}

/** Takes output of a child. Resolves when it can take more. */
export type OnBytes = (bytes: Uint8Array) => Promise<void> | void;

/** Where the stdout and stderr of a child go. */
export interface ChildOutput {
  /** Takes the next bytes of stdout. */
  readonly stdout: OnBytes;
  /** Takes the next bytes of stderr. */
  readonly stderr: OnBytes;
  /** Passes on the rest after both streams have ended. */
  end(): void;
}
