import type { Exit } from "@ncolony/core";
import { type Clock, type Foreground, signalName, signalNumber, Waker } from "@ncolony/host";
import { descendants, programOf } from "./descendants.ts";
import type { Libc } from "./libc.ts";
import { Orphans } from "./orphans.ts";

/** How often it is looked for children that ended, in case a SIGCHLD was missed. */
const POLL_MS = 1000;

/** How often, while an end is on its way here. */
const BUSY_POLL_MS = 20;

/** Who is left so long after SIGKILL cannot be ended. */
const GIVE_UP_MS = 5000;

const [KILL, STOP, TERM] = ["SIGKILL", "SIGSTOP", "SIGTERM"].map(signalNumber) as [number, number, number];

/** What a reaper is made with. */
export interface ReaperParts {
  /** The C library. */
  readonly libc: Libc;
  /** The time. */
  readonly clock: Clock;
  /** The command. */
  readonly command: Foreground;
  /** Whether signals reach the command's group. */
  readonly toGroup: boolean;
  /** How long the command has to end after SIGTERM, until SIGKILL, in milliseconds. */
  readonly killAfterMs: number;
  /** How long what it leaves behind has to end, until SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** Tells a person what it could not do. */
  readonly warn: Warn;
}

/** Tells a person something in one line. */
export type Warn = (message: string) => void;

/** Passes signals to a command, waits for orphans, and ends what the command leaves behind. */
export class Reaper {
  readonly #parts: ReaperParts;
  readonly #waker: Waker;
  readonly #orphans: Orphans;
  #exit: Exit | null = null;
  /** Who may not be signalled, as it was told: it became another user, which this program may not signal. */
  readonly #refused = new Set<number>();
  /** When the command is killed. */
  #killAt = Infinity;

  /** Makes one for a command that runs. */
  constructor(parts: ReaperParts) {
    this.#parts = parts;
    this.#waker = new Waker(parts.clock);
    this.#orphans = new Orphans(parts.libc, parts.command.pid);
    parts.command.exit.then((exit) => {
      this.#exit = exit;
      this.wake();
    });
  }

  /** Has it look for children that ended. */
  wake(): void {
    this.#waker.wake();
  }

  /** Passes a signal to the command, by its number. */
  pass(number: number): void {
    if (this.#exit !== null) return;
    const { clock, command, killAfterMs, toGroup } = this.#parts;
    this.#signal(toGroup ? -command.pid : command.pid, number);
    if (number === TERM) this.#killAt = Math.min(this.#killAt, clock.now() + killAfterMs);
    this.wake();
  }

  /** Resolves with the end of the command, when nobody is left. */
  async run(): Promise<Exit> {
    const { clock } = this.#parts;
    for (;;) {
      const left = this.#orphans.reap(this.#exit !== null);
      if (this.#exit !== null) break;
      this.#stopAlong();
      if (clock.now() >= this.#killAt) this.#kill();
      const pollMs = left === "own" ? BUSY_POLL_MS : POLL_MS;
      await this.#waker.wait(Math.min(clock.now() + pollMs, this.#killAt));
    }
    await this.#sweep();
    return this.#exit;
  }

  /**
   * Where a shell waits for this program, it must see that the command has been stopped, and have both go on: by Ctrl-Z, by
   * what a terminal sends to a group in the background, or by itself. A group without a shell the kernel stops by SIGSTOP alone.
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
    const who = pid === -1 ? "everybody" : pid < 0 ? `process group ${-pid}` : `process ${pid}`;
    this.#parts.warn(`may not send ${signal} to ${who}, which runs as another user`);
  }

  /** Ends who is left: SIGTERM, and SIGKILL when the grace is over. */
  async #sweep(): Promise<void> {
    const { clock, graceMs } = this.#parts;
    const killAt = clock.now() + graceMs;
    const asked = new Set<string>();
    while (this.#orphans.reap(true) !== "none" && clock.now() < killAt + GIVE_UP_MS) {
      if (clock.now() >= killAt) this.#signalAll(KILL, new Set());
      else this.#signalAll(TERM, asked);
      await this.#waker.wait(clock.now() + BUSY_POLL_MS);
    }
  }

  /** Sends a signal to all descendants, but not to programs to which it was sent before. */
  #signalAll(number: number, before: Set<string>): void {
    const { libc } = this.#parts;
    // To PID 1, -1 is everybody but itself; to another, the whole machine.
    const all = libc.getpid() === 1 ? [-1] : [];
    // What is killed all at once cannot fork meanwhile.
    const pids = number === KILL && all.length > 0 ? all : descendants(libc) ?? all;
    for (const pid of pids) {
      const program = programOf(libc, pid);
      if (!before.has(program)) this.#signal(pid, number);
      before.add(program);
    }
  }
}
