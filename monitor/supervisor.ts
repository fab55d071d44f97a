import {
  deadline,
  describeDuration,
  type Effect,
  GONE,
  type ProcessEvent,
  type ProcessState,
  type RestartPolicy,
  type Spec,
  step,
  stopLeftover,
  STUCK_MS,
} from "@ncolony/core";
import type { Child, ChildOutput, ChildSink, Directory, Host, PidFiles } from "@ncolony/host";
import { Inbox } from "./inbox.ts";
import { PidKeeper } from "./pid_keeper.ts";
import { Report, type ReportOptions, whatIsStuck } from "./report.ts";
import type { StopTime } from "./stop_time.ts";

/** What a supervisor needs. */
export interface SupervisorOptions extends ReportOptions {
  /** When it restarts. */
  readonly policy: RestartPolicy;
  /** How long a stop of everything may take. */
  readonly stopTime: StopTime;
  /** Where it writes pids. */
  readonly pidFiles: PidFiles;
  /** Makes the sinks for the output of a child. */
  readonly output: (spec: Spec) => ChildOutput;
}

/**
 * Keeps the table of processes: takes one event after another, asks `step` what becomes of the process, stores that, then
 * does it, and tells it when all that was to be done at once has been: who waits for a start does not wait for a log.
 */
export class Supervisor {
  readonly #host: Pick<Host, "clock" | "spawn">;
  readonly #options: SupervisorOptions;
  readonly #report: Report;
  readonly #pids: PidKeeper;
  readonly #inbox: Inbox<{ readonly name: string; readonly event: ProcessEvent }>;
  readonly #states = new Map<string, ProcessState>();
  readonly #children = new Map<string, Child>();
  /** The instants at which states want a tick; most states want none. */
  readonly #deadlines = new Map<string, number>();
  #isClosing = false;
  /** When it waits no longer for anybody. */
  #giveUpAt = Infinity;
  /** Whether it was asked to close, and not only closes because of an error. */
  #isAsked = false;
  #exitCode = 0;

  /** Makes one with an empty table. */
  constructor(host: Pick<Host, "clock" | "spawn">, options: SupervisorOptions) {
    this.#host = host;
    this.#options = options;
    this.#report = new Report(options, (error) => this.fail(error));
    this.#pids = new PidKeeper(options.pidFiles, this.#report);
    this.#inbox = new Inbox({
      clock: host.clock,
      take: ({ name, event }) => this.#take(name, event),
      pause: () => this.#report.tell(),
    });
  }

  /** Takes an event, at once where nothing else is to be done before. */
  post(name: string, event: ProcessEvent): void {
    this.#inbox.post({ name, event });
  }

  /** Stops what an earlier monitor left running. Nothing of those names starts before that is gone. */
  async stopLeftovers(config: Directory): Promise<void> {
    const { pidFiles, policy } = this.#options;
    for (const found of await pidFiles.findChildren(config)) {
      const { name, rules } = found;
      this.#children.set(name, found.open(this.#sinkOf(name)));
      const [state, effects] = stopLeftover(rules, this.#host.clock.now(), policy);
      this.#store(name, state);
      for (const effect of effects) this.#perform(name, { type: "unwanted" }, effect);
      this.#report.leftover(found);
    }
  }

  /** Stops every process; `run` ends when all are gone. Asked again, it kills them. */
  close(): void {
    const type = this.#isAsked ? "kill" : "unwanted";
    this.#isAsked = true;
    this.#closeWith(type);
  }

  #closeWith(type: "unwanted" | "kill"): void {
    this.#isClosing = true;
    const { killMs, giveUpMs } = this.#options.stopTime;
    const now = this.#host.clock.now();
    this.#giveUpAt = Math.min(this.#giveUpAt, now + giveUpMs);
    const event: ProcessEvent = type === "kill" ? { type } : { type, killBy: now + killMs };
    // Before what is queued, of which a tick, or the end of a child, would start what is to be stopped.
    this.#inbox.postFirst([...this.#states.keys()].map((name) => ({ name, event })));
    this.#inbox.ring();
  }

  /** Closes because of an error that nobody foresaw; `run` will give 1. */
  fail(error: unknown): void {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    this.#report.error(`internal error, stopping everything: ${text}`);
    this.#exitCode = 1;
    if (!this.#isClosing) this.#closeWith("unwanted");
  }

  /** Does again what could not be done: sends signals that were refused, and writes pid files that are not there. */
  retry(): void {
    for (const child of this.#children.values()) child.retry();
    this.#pids.restore();
  }

  /** Takes events until it is closed and nothing is left; gives the exit code: 0, or 1 where something went wrong. */
  async run(): Promise<number> {
    for (;;) {
      await this.#inbox.takeAll(() => this.#tick());
      if (this.#isClosing && this.#states.size === 0) return this.#exitCode;
      await this.#inbox.rest(this.#deadlines.values().reduce((a, b) => Math.min(a, b), this.#giveUpAt));
      this.#tick();
    }
  }

  /** Queues a tick for each state whose deadline has come. */
  #tick(): void {
    const now = this.#host.clock.now();
    if (now >= this.#giveUpAt) {
      this.#giveUpAt = Infinity;
      for (const name of this.#states.keys()) this.#giveUpOnStuck(name, now, 0);
    }
    for (const [name, due] of this.#deadlines) {
      if (due > now) continue;
      // Once: whatever is taken next sets it again, where it still wants one.
      this.#deadlines.delete(name);
      this.post(name, { type: "tick" });
    }
  }

  #take(name: string, event: ProcessEvent): void {
    try {
      this.#step(name, event);
    } catch (error) {
      // Whatever it is, the other processes must still be stopped in order.
      this.fail(error);
    }
  }

  #step(name: string, event: ProcessEvent): void {
    if (this.#isClosing && (event.type === "wanted" || event.type === "restart")) return;
    // One that it gave up on ended after all.
    const isLate = this.#isClosing && !this.#states.has(name) && this.#children.has(name);
    if (isLate) return event.type === "emptied" ? this.#forget(name) : undefined;
    const now = this.#host.clock.now();
    const before = this.#states.get(name) ?? GONE;
    const [after, effects] = step(before, event, now, this.#options.policy);
    this.#store(name, after);
    if (event.type === "exited") this.#pids.removePid(name);
    if (event.type === "emptied") this.#forget(name);
    for (const effect of effects) this.#perform(name, event, effect);
    // How one ended that was asked to, changes no state: it waits for the end of its group.
    // What could not be started has no pid: its end follows, and says why.
    const isStart = after.type === "running" && before.type !== "running";
    const pid = isStart ? this.#children.get(name)?.pid : undefined;
    if ((before.type !== after.type || event.type === "exited") && !(isStart && pid === undefined)) {
      this.#report.did({ name, before, event, after, now, ...(pid === undefined ? {} : { pid }) });
    }
    if (this.#isClosing) this.#giveUpOnStuck(name, now);
  }

  #store(name: string, state: ProcessState): void {
    const due = deadline(state);
    // What is gone is kept while it matters when it started last.
    const isOver = state.type === "gone" && (due === Infinity || this.#isClosing);
    if (isOver) this.#states.delete(name);
    else this.#states.set(name, state);
    if (isOver || due === Infinity) this.#deadlines.delete(name);
    else this.#deadlines.set(name, due);
  }

  #perform(name: string, event: ProcessEvent, effect: Effect): void {
    switch (effect.type) {
      case "spawn":
        return this.#spawn(effect.spec);
      case "signal":
        return this.#children.get(name)?.signal(effect.signal);
      case "report-stopping":
        return this.#report.info(`still stopping, SIGKILL in ${describeDuration(effect.inMs)}`, name);
      case "report-stuck":
        return this.#nameStuck(name, effect.afterMs);
      case "unexpected":
        return this.#report.warn(`${event.type} cannot happen now, ignored`, name);
    }
  }

  #spawn(spec: Spec): void {
    const { name } = spec;
    const sink = this.#sinkOf(name);
    let child: Child | null;
    // Who kills this monitor between the two leaves a child that its successor knows all the same.
    this.#pids.prepare(spec);
    try {
      child = this.#host.spawn(spec, this.#options.output(spec), sink);
    } catch (error) {
      // No spawn should throw. Nothing runs, and nobody must wait for its end.
      sink.exited({ type: "failed", reason: String(error) });
      sink.emptied();
      throw error;
    }
    if (child === null) return this.#pids.remove(name);
    this.#children.set(name, child);
    this.#pids.write(spec, child.pid);
  }

  #sinkOf(name: string): ChildSink {
    return {
      exited: (exit) => this.post(name, { type: "exited", exit }),
      emptied: () => this.post(name, { type: "emptied" }),
      warn: (message) => this.#report.warn(message, name),
    };
  }

  #forget(name: string): void {
    if (this.#children.delete(name)) this.#pids.remove(name);
  }

  /** What SIGKILL does not end, or does not reach, as a child that took another user: the monitor must end all the same. */
  #giveUpOnStuck(name: string, now: number, patienceMs = STUCK_MS): void {
    const state = this.#states.get(name);
    if (state?.type !== "killing") return;
    const afterMs = now - state.killedAt;
    const child = this.#children.get(name);
    if (child === undefined || afterMs < patienceMs && !child.refused) return;
    this.#report.error(`${whatIsStuck(child, afterMs)} and is left behind: ${child.whoIsLeft()}`, name);
    this.#exitCode = 1;
    this.#store(name, GONE);
  }

  /** Tells who is left so long after SIGKILL. */
  #nameStuck(name: string, afterMs: number): void {
    const child = this.#children.get(name);
    if (child === undefined || this.#isClosing && (afterMs >= STUCK_MS || child.refused)) return;
    this.#report.warn(`${whatIsStuck(child, afterMs)}: ${child.whoIsLeft()}`, name);
  }
}
