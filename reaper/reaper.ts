import type { Exit } from "@ncolony/core";
import { type Clock, type CommandCgroup, type Foreground, signalName, signalNumber, Waker } from "@ncolony/host";
import { descendants } from "./descendants.ts";
import type { Libc } from "./libc.ts";
import { Orphans } from "./orphans.ts";

/** How often children are checked, in case a SIGCHLD was missed, in milliseconds. */
const POLL_MS = 1000;

/** The same, while an exit is expected soon. */
const BUSY_POLL_MS = 20;

/** How long after SIGKILL the reaper gives up on a process, in milliseconds. */
const GIVE_UP_MS = 5000;

const KILL = signalNumber("SIGKILL");
const STOP = signalNumber("SIGSTOP");
const TERM = signalNumber("SIGTERM");
const CONT = signalNumber("SIGCONT");

/** What a reaper needs. */
export interface ReaperParts {
  /** The C library. */
  readonly libc: Libc;
  /** The clock. */
  readonly clock: Clock;
  /** The command. */
  readonly command: Foreground;
  /** The cgroup of the command. Null if it has none of its own. */
  readonly cgroup: Pick<CommandCgroup, "kill"> | null;
  /** Whether signals go to the command's process group. */
  readonly toGroup: boolean;
  /** The time from SIGTERM to SIGKILL for the command, in milliseconds. */
  readonly killAfterMs: number;
  /** The time from SIGTERM to SIGKILL for processes that the command leaves behind, in milliseconds. */
  readonly graceMs: number;
  /** Reports what the reaper cannot do. */
  readonly warn: Warn;
}

/** Reports a problem in one line. */
export type Warn = (message: string) => void;

/** Passes signals to a command, waits for orphans, and stops the processes that the command leaves behind. */
export class Reaper {
  readonly #parts: ReaperParts;
  readonly #waker: Waker;
  readonly #orphans: Orphans;
  #exit: Exit | null = null;
  /** The processes and groups that the reaper may not signal, each reported once: they run as another user. */
  readonly #refused = new Set<number>();
  /** When the command gets SIGKILL. */
  #killAt = Infinity;

  /** Creates a reaper for a running command. */
  constructor(parts: ReaperParts) {
    this.#parts = parts;
    this.#waker = new Waker(parts.clock);
    this.#orphans = new Orphans(parts.libc, parts.command.pid);
    parts.command.exit.then((exit) => {
      this.#exit = exit;
      this.wake();
    });
  }

  /** Makes the reaper check its children now. */
  wake(): void {
    this.#waker.wake();
  }

  /** Passes a signal to the command, by number. */
  pass(number: number): void {
    if (this.#exit !== null) return;
    const { clock, command, killAfterMs, toGroup } = this.#parts;
    this.#signal(toGroup ? -command.pid : command.pid, number);
    if (number === TERM) this.#killAt = Math.min(this.#killAt, clock.now() + killAfterMs);
    this.wake();
  }

  /** Resolves with the command's exit, after the processes that it left behind have been stopped. */
  async run(): Promise<Exit> {
    const { clock } = this.#parts;
    for (;;) {
      const left = this.#orphans.reap(this.#exit !== null);
      if (this.#exit !== null) {
        if (left !== "none") await this.#sweep();
        return this.#exit;
      }
      this.#stopAlong();
      if (clock.now() >= this.#killAt) this.#kill();
      const pollMs = left === "own" ? BUSY_POLL_MS : POLL_MS;
      await this.#waker.wait(Math.min(clock.now() + pollMs, this.#killAt));
    }
  }

  /**
   * Stops the reaper too if the command was stopped: by Ctrl-Z, by the terminal because it is in the background, or by
   * itself. A shell that waits for the reaper then notices, and can continue both. In a process group without a shell,
   * the kernel stops a process by SIGSTOP only, so SIGSTOP counts only if the group has the terminal.
   */
  #stopAlong(): void {
    const { command, libc } = this.#parts;
    const by = libc.stopOf(command.pid);
    if (by !== null && (by !== STOP || libc.hasTerminal())) this.#signal(libc.getpid(), STOP);
  }

  #kill(): void {
    this.#killAt = Infinity;
    this.pass(KILL);
  }

  #signal(pid: number, number: number): void {
    if (this.#parts.libc.kill(pid, number) !== "refused" || this.#refused.has(pid)) return;
    this.#refused.add(pid);
    const signal = signalName(number) ?? `signal ${number}`;
    const who = pid < 0 ? `process group ${-pid}` : `process ${pid}`;
    this.#parts.warn(`cannot send ${signal} to ${who}: permission denied (runs as another user)`);
  }

  /**
   * Stops the processes that are left: SIGTERM, then SIGKILL when the grace is over. SIGTERM is sent once, because what
   * starts later belongs to the cleanup of a process that got it. SIGCONT follows, because a process that is stopped
   * could not act on SIGTERM.
   */
  async #sweep(): Promise<void> {
    const { clock, graceMs } = this.#parts;
    const killAt = clock.now() + graceMs;
    if (graceMs > 0) this.#signalAll(TERM, CONT);
    while (this.#orphans.reap(true) !== "none" && clock.now() < killAt + GIVE_UP_MS) {
      if (clock.now() >= killAt) {
        this.#parts.cgroup?.kill();
        // Root, or systemd-logind for a login, may have moved some out of it.
        this.#signalAll(KILL);
      }
      await this.#waker.wait(clock.now() + BUSY_POLL_MS);
    }
  }

  /** Sends signals to all processes that this reaper is responsible for. */
  #signalAll(...numbers: readonly number[]): void {
    const { libc } = this.#parts;
    // For PID 1, -1 means every process but itself, all at once, so that nothing can fork in between. They include
    // processes that entered its namespace from outside. For another reaper, -1 means the whole machine.
    const pids = libc.getpid() === 1 ? [-1] : descendants(libc);
    for (const pid of pids) for (const number of numbers) this.#signal(pid, number);
  }
}
