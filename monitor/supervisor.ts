import {
  describeDuration,
  describeStuck,
  type Effect,
  GONE,
  type ProcessEvent,
  type Spec,
  step,
  stopLeftover,
  STUCK_MS,
} from "@ncolony/core";
import { type ChildListener, type Directory, EventQueue, type Host, logInternalError, type Usage } from "@ncolony/host";
import { logIgnored, logLeftover } from "./lines.ts";
import { PidKeeper } from "./pid_keeper.ts";
import { LEFTOVER, MONITOR, type Posted, type Why } from "./posted.ts";
import { type Process, ProcessTable } from "./process_table.ts";
import type { SupervisorOptions } from "./supervisor_options.ts";

/**
 * Keeps the table of processes. It takes one event at a time from a queue, calls `step`, stores the new state, performs
 * the effects, and reports the step.
 */
export class Supervisor {
  readonly #host: Pick<Host, "clock" | "ready" | "spawn">;
  readonly #options: SupervisorOptions;
  readonly #pids: PidKeeper;
  readonly #queue: EventQueue<Posted | "retry">;
  readonly #processes = new ProcessTable();
  #isClosing = false;
  /** When it leaves behind the processes that SIGKILL did not end, in the clock's milliseconds. */
  #giveUpAt = Infinity;
  /** Whether {@linkcode close} was called. An error alone also closes it. */
  #isAsked = false;
  #exitCode = 0;

  /** Creates a supervisor without processes. */
  constructor(host: Pick<Host, "clock" | "ready" | "spawn">, options: SupervisorOptions) {
    this.#host = host;
    this.#options = options;
    this.#pids = new PidKeeper(options.pidFiles, options.log);
    this.#queue = new EventQueue(host.clock);
  }

  /** Queues an event, a change of a config, or a new pid. */
  post(posted: Posted): void {
    this.#queue.post(posted);
  }

  /** Stops leftover processes of a previous monitor. No process of the same name starts until they are gone. */
  async stopLeftovers(config: Directory): Promise<void> {
    const { log, pidFiles, policy, statuses } = this.#options;
    for (const found of await pidFiles.findChildren(config)) {
      const process = this.#processes.get(found.name);
      process.child = found.open(this.#listenerOf(found.name));
      const [state, effects] = stopLeftover(found.rules, this.#host.clock.now(), policy);
      this.#processes.store(process, state, this.#isClosing);
      const event: ProcessEvent = { type: "unwanted" };
      for (const effect of effects) await this.#perform(process, event, effect);
      const now = this.#host.clock.now();
      statuses.takeUp(found.name);
      const taken = { name: found.name, before: GONE, event, after: state, now };
      const fields = statuses.step(taken, { cause: LEFTOVER, child: null });
      statuses.update(found.name, { pid: found.pids[0] ?? null, rest: "removed" });
      logLeftover(log, found, fields);
    }
  }

  /** Processes events until it is closed and nothing is left. Resolves with the exit code: 0, or 1 after an error. */
  async run(): Promise<number> {
    for (;;) {
      const next = await this.#queue.next(() => Math.min(this.#processes.deadline, this.#giveUpAt));
      if (next === null) this.#passTime();
      else if (next === "retry") this.#retry();
      else if ("pid" in next) this.#follow(this.#processes.get(next.name), next.pid);
      else if ("config" in next) this.#options.statuses.config(next.name, next.config);
      else await this.#take(this.#processes.get(next.name), next.event, next.why ?? null);
      if (this.#isClosing && this.#processes.areAllGone) return this.#exitCode;
    }
  }

  /** Stops every process. `run` ends when all are gone. A second call kills them. */
  close(): void {
    const type = this.#isAsked ? "kill" : "unwanted";
    this.#isAsked = true;
    this.#closeWith(type);
  }

  /** Closes because of an unexpected error. `run` will resolve with 1. */
  fail(error: unknown): void {
    logInternalError(this.#options.log, error);
    this.#exitCode = 1;
    if (!this.#isClosing) this.#closeWith("unwanted");
  }

  /** Returns what each process uses. Null if it has no cgroup of its own. */
  *usages(): Generator<readonly [name: string, usage: Usage | null]> {
    for (const { name, child } of this.#processes.values()) yield [name, child?.usage() ?? null];
  }

  /** Queues what follows a full scan: refused signals are sent again, and files are repaired. */
  retry(): void {
    this.#queue.post("retry");
  }

  #closeWith(type: "unwanted" | "kill"): void {
    this.#isClosing = true;
    const { killMs, giveUpMs } = this.#options.stopTime;
    const now = this.#host.clock.now();
    this.#giveUpAt = Math.min(this.#giveUpAt, now + giveUpMs);
    const event: ProcessEvent = type === "kill" ? { type } : { type, killBy: now + killMs };
    // Ahead of the queued events: a tick, or the exit of a child, could start what must be stopped.
    this.#queue.postUrgent(this.#processes.names.map((name) => ({ name, event, why: { cause: MONITOR } })));
  }

  /** Queues a tick for each process whose deadline has come, and gives up on stuck processes. */
  #passTime(): void {
    const now = this.#host.clock.now();
    if (now >= this.#giveUpAt) {
      this.#giveUpAt = Infinity;
      for (const process of this.#processes.values()) this.#giveUpOnStuck(process, now, 0);
    }
    for (const name of this.#processes.takeDue(now)) this.post({ name, event: { type: "tick" } });
  }

  /** Sends refused signals again, and repairs pid files. */
  #retry(): void {
    for (const { child } of this.#processes.values()) child?.retry();
    this.#pids.restore();
    this.#options.onScanned();
  }

  async #take(process: Process, event: ProcessEvent, why: Why | null): Promise<void> {
    try {
      await this.#step(process, event, why);
    } catch (error) {
      // Whatever went wrong, stop the other processes in order.
      this.fail(error);
    }
  }

  async #step(process: Process, event: ProcessEvent, why: Why | null): Promise<void> {
    if (this.#isClosing && (event.type === "wanted" || event.type === "restart")) return;
    const { name, state: before } = process;
    const status = this.#options.statuses.get(name);
    if (why?.incarnation !== undefined && why.incarnation < status.incarnation) {
      return logIgnored(this.#options.log, status, why);
    }
    // A process that was given up on has exited after all.
    const isLate = before.type === "gone" && process.child !== null;
    if (event.type === "leader-exited") this.#pids.removePid(name);
    if (event.type === "group-exited") {
      if (process.child !== null) this.#pids.remove(name);
      process.child = null;
    }
    if (isLate) return this.#processes.store(process, before, this.#isClosing);
    const now = this.#host.clock.now();
    const [after, effects] = step(before, event, now, this.#options.policy);
    this.#processes.store(process, after, this.#isClosing);
    for (const effect of effects) {
      const pending = this.#perform(process, event, effect);
      if (pending !== undefined) await pending;
    }
    const taken = { name, before, event, after, now };
    const fields = this.#options.statuses.step(taken, { cause: why?.cause ?? null, child: process.child });
    // The exit of a leader that was asked to stop does not change the state, but is reported.
    // A failed start has no pid. Its `leader-exited` follows, and has the reason.
    const isStart = after.type === "running" && before.type !== "running";
    const pid = isStart ? process.child?.pid : undefined;
    if ((before.type !== after.type || event.type === "leader-exited") && !(isStart && pid === undefined)) {
      this.#options.onStep({ ...taken, ...(pid === undefined ? {} : { pid }) }, fields);
    }
    if (this.#isClosing) this.#giveUpOnStuck(process, now);
  }

  #perform(process: Process, event: ProcessEvent, effect: Effect): Promise<void> | void {
    const { log } = this.#options;
    switch (effect.type) {
      case "spawn":
        return this.#spawnWhenReady(process, effect.spec);
      case "signal":
        return process.child?.signal(effect.signal);
      case "report-stopping":
        return log.info(`still stopping, SIGKILL in ${describeDuration(effect.inMs)}`, process.name);
      case "report-stuck":
        return this.#nameStuck(process, effect.afterMs);
      case "unexpected":
        return log.warn(`unexpected event ${event.type}, ignored`, process.name);
    }
  }

  /** Starts a child, now or when the host is ready, because it has started another one a moment ago. */
  #spawnWhenReady(process: Process, spec: Spec): Promise<void> | void {
    const ready = this.#host.ready();
    return ready === null ? this.#spawn(process, spec) : ready.then(() => this.#spawn(process, spec));
  }

  #spawn(process: Process, spec: Spec): void {
    const { name } = process;
    const listener = this.#listenerOf(name);
    // If this monitor is killed before it writes the pid, the next monitor still recognizes the child.
    this.#pids.prepare(spec);
    try {
      process.child = this.#host.spawn(spec, this.#options.output(spec), listener);
    } catch (error) {
      // `spawn` should not throw. Nothing runs, so nothing may wait for it to exit.
      listener.leaderExited({ type: "failed", reason: String(error) });
      listener.groupExited();
      throw error;
    }
    if (process.child === null) this.#pids.remove(name);
    else this.#pids.write(spec, process.child.pid);
  }

  #listenerOf(name: string): ChildListener {
    return {
      leaderExited: (exit) => this.post({ name, event: { type: "leader-exited", exit } }),
      wentToBackground: (pid) => this.post({ name, pid }),
      groupExited: () => this.post({ name, event: { type: "group-exited" } }),
      warn: (message) => this.#options.log.warn(message, name),
    };
  }

  /** Writes the pid of what goes on after its leader has exited. */
  #follow({ name, state }: Process, pid: number): void {
    if (state.type !== "running") return;
    this.#options.statuses.update(name, { pid });
    this.#options.log.info(`its first process exited with 0, and pid ${pid} runs in the background`, name);
    this.#pids.write(state.spec, pid);
  }

  /** Leaves behind a child that SIGKILL does not end, or may not reach if its user changed. The monitor must end. */
  #giveUpOnStuck(process: Process, now: number, timeoutMs = STUCK_MS): void {
    const { name, state, child } = process;
    if (state.type !== "killing" || child === null) return;
    const afterMs = now - state.killedAt;
    if (afterMs < timeoutMs && !child.refused) return;
    this.#options.log.error(`${describeStuck(afterMs, child.refused)} and is left behind: ${child.whoIsLeft()}`, name);
    this.#exitCode = 1;
    this.#processes.store(process, GONE, this.#isClosing);
  }

  /** Logs which processes are left this long after SIGKILL. */
  #nameStuck({ name, child }: Process, afterMs: number): void {
    if (child === null || this.#isClosing && (afterMs >= STUCK_MS || child.refused)) return;
    const waitsFor = child.whoIsLeft();
    this.#options.log.warn(`${describeStuck(afterMs, child.refused)}: ${waitsFor}`, name);
    this.#options.statuses.update(name, { waitsFor });
  }
}
