import type { KillScope, SchedulePolicy } from "@ncolony/core";
import { type ChildOutput, Runner, type Times } from "@ncolony/host";
import { sample } from "../core/samples.ts";
import { FakeChildren, type Script } from "../monitor/fake_children.ts";
import { FakeClock } from "../monitor/fake_clock.ts";
import { FakeLog } from "../monitor/fake_host.ts";
import { every, once } from "../../scheduler/times.ts";

/** The interval between two runs. */
export const FREQUENCY_MS = 10_000;

const POLICY: SchedulePolicy = {
  timeoutMs: 3000,
  graceMs: 500,
  stopMs: Infinity,
  maxFailures: Infinity,
  isOnce: false,
};
const OUTPUT: ChildOutput = { stdout: () => {}, stderr: () => {}, end: () => {} };

/** A scheduler with a fake clock and fake children. `t` is the time since its start. */
export class World implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly journal: string[] = [];
  readonly children = new FakeChildren(this.clock, this.journal);
  readonly log = new FakeLog([]);
  readonly heart = { due: this.clock.now(), beats: 0, beat: (): void => this.#beat() };
  readonly scheduler: Runner;
  times: Times;
  exitCode: number | null = null;
  flushes = 0;
  readonly #start = this.clock.now();

  constructor(
    script: Script | ((run: number) => Script),
    policy: Partial<SchedulePolicy> = {},
    killScope: KillScope = "group",
  ) {
    // An endless loop fails at once.
    this.clock.maxOperations = 10_000;
    this.children.script("run", script);
    const spec = sample("run", { "ncolony.monitor": { kill_scope: killScope } });
    this.times = policy.isOnce ? once(this.clock) : every(FREQUENCY_MS, this.clock, () => 0);
    this.scheduler = new Runner({
      clock: this.clock,
      spawn: (output, sink) => this.children.spawn(spec, output, sink),
      times: { first: () => this.times.first(), next: () => this.times.next(), correct: () => this.times.correct() },
      policy: { ...POLICY, ...policy },
      output: { log: this.log, forRun: () => OUTPUT, flush: () => Promise.resolve(void this.flushes++) },
      heart: this.heart,
    });
    this.scheduler.ended.then((exitCode) => this.exitCode = exitCode);
    this.scheduler.start();
  }

  /** Advances the clock to `t`. */
  async until(t: number): Promise<void> {
    await this.clock.advanceTo(this.#start + t);
    await this.clock.settle();
  }

  /** When the children were started. */
  get starts(): number[] {
    return this.children.started.map(({ since }) => since - this.#start);
  }

  /** The signals that the last child received. */
  get signals(): string[] {
    return this.children.last("run").signals;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.exitCode !== null) return;
    for (let i = 0; i < 2; i++) this.scheduler.stop();
    await this.clock.advance(60_000);
  }

  #beat(): void {
    if (this.clock.now() < this.heart.due) return;
    this.heart.beats++;
    this.heart.due = this.clock.now() + 1000;
  }
}
