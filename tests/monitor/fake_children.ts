import type { Exit, Spec, StopSignal } from "@ncolony/core";
import type { Child, ChildListener, ChildOutput } from "@ncolony/host";
import type { FakeClock } from "./fake_clock.ts";

/** A process that outlives the leader. */
type Remainder = "mild" | "stubborn" | "stuck";

/** How a child behaves. By default, it runs until it is asked to stop, and then exits at once. */
export interface Script {
  /** Why it cannot be started. */
  readonly cannotStart?: string;
  /** The age at which its leader exits by itself. */
  readonly livesMs?: number;
  /** How its leader exits by itself. @default {{ type: "code", code: 0 }} */
  readonly exit?: Exit;
  /** How long its leader takes to exit after a signal; Infinity: it ignores the signal. @default {0} */
  readonly endsInMs?: number;
  /** What outlives the leader in its group: a process that any signal ends, that only SIGKILL ends, or that nothing ends. */
  readonly leaves?: Remainder;
  /** The same for a process outside of the group, which is in the kill scopes from the session on. */
  readonly escapes?: Remainder;
  /** Whether not even SIGKILL ends its leader, as in an uninterruptible sleep. */
  readonly isStuck?: boolean;
  /** Whether the operating system refuses to send it signals. */
  readonly refuses?: boolean;
}

/** One child, from its spawn until its process group is empty. */
export class FakeChild implements Child {
  readonly scope = "group";
  readonly pid: number;
  /** What was started. */
  readonly spec: Spec;
  /** When it was started. */
  readonly since: number;
  /** How it behaves from now on. */
  script: Script;
  /** The signals that reached it. */
  readonly signals: StopSignal[] = [];
  refused = false;
  #exit: Exit | null = null;
  /** What is left in its kill scope, apart from the leader. */
  #rest: Remainder[];
  #isEmptied = false;
  #last: StopSignal | null = null;
  readonly #clock: FakeClock;
  readonly #journal: string[];
  #listener: ChildListener;
  readonly #output: ChildOutput;

  constructor(pid: number, spec: Spec, script: Script, parts: ChildParts) {
    this.pid = pid;
    this.spec = spec;
    this.script = script;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#listener = parts.listener;
    this.#output = parts.output;
    this.since = parts.clock.now();
    const inScope = spec.killScope === "process" ? [] : spec.killScope === "group" ? [script.leaves] : [
      script.leaves,
      script.escapes,
    ];
    this.#rest = inScope.filter((it) => it !== undefined);
    if (script.livesMs !== undefined) {
      this.#clock.after(script.livesMs, () => this.end(this.script.exit ?? { type: "code", code: 0 }));
    }
  }

  /** How its leader exited, or null. */
  get exit(): Exit | null {
    return this.#exit;
  }

  /** Whether its process group is empty. */
  get isEmptied(): boolean {
    return this.#isEmptied;
  }

  signal(signal: StopSignal): void {
    this.#last = signal;
    this.#send(signal);
  }

  retry(): void {
    if (this.refused && this.#last !== null) this.#send(this.#last);
  }

  /** Reports its exit to another monitor from now on, because the monitor that started it was killed. */
  adopt(listener: ChildListener): this {
    this.#listener = listener;
    // Its leader may have exited while no monitor ran.
    if (this.#exit !== null) listener.leaderExited(this.#exit);
    if (this.#isEmptied) listener.groupExited();
    return this;
  }

  /** Ends its leader. Its process group is empty then, unless another process is left. */
  end(exit: Exit): void {
    if (this.#exit !== null) return;
    this.#exit = exit;
    // Set this before the exit is reported, so that no signal is sent to an empty group.
    this.#isEmptied = this.#rest.length === 0;
    this.#listener.leaderExited(exit);
    if (this.#isEmptied) this.#reportEmptied();
  }

  /** Ends the processes that outlived the leader. */
  endRest(): void {
    this.#keep(() => false);
  }

  /** Ends those that outlived the leader and do not pass a test. */
  #keep(test: (one: Remainder) => boolean): void {
    this.#rest = this.#rest.filter(test);
    if (this.#rest.length > 0 || this.#isEmptied || this.#exit === null) return;
    this.#isEmptied = true;
    this.#reportEmptied();
  }

  usage(): null {
    return null;
  }

  whoIsLeft(): string {
    return `pid ${this.pid} (uninterruptible sleep)`;
  }

  /** Unblocks it: signals reach it again, and an earlier SIGKILL takes effect. */
  release(): void {
    this.script = { ...this.script, refuses: false, isStuck: false };
    this.#rest = this.#rest.map((one) => one === "stuck" ? "stubborn" : one);
    if (this.signals.includes("SIGKILL")) this.#die("SIGKILL", 0);
  }

  #send(signal: StopSignal): void {
    if (this.#isEmptied) return;
    const wasRefused = this.refused;
    this.refused = this.script.refuses ?? false;
    if (this.refused) {
      if (!wasRefused) this.#listener.warn(`cannot send ${signal} to pid ${this.pid}: permission denied`);
      return;
    }
    this.signals.push(signal);
    this.#journal.push(`${signal} to ${this.spec.name}`);
    this.#die(signal, signal === "SIGKILL" ? 0 : this.script.endsInMs ?? 0);
  }

  /** Ends the processes that this signal ends. */
  #die(signal: StopSignal, inMs: number): void {
    if (!this.script.isStuck && inMs < Infinity) this.#clock.after(inMs, () => this.end({ type: "signal", signal }));
    const survives = (one: Remainder) => signal === "SIGKILL" ? one === "stuck" : one !== "mild";
    if (!this.#rest.every(survives)) this.#clock.after(0, () => this.#keep(survives));
  }

  #reportEmptied(): void {
    this.#output.end();
    this.#listener.groupExited();
  }
}

interface ChildParts {
  readonly clock: FakeClock;
  readonly journal: string[];
  readonly listener: ChildListener;
  readonly output: ChildOutput;
}

/** Starts children that behave as their scripts say. */
export class FakeChildren {
  /** Every child that was started, in order. */
  readonly started: FakeChild[] = [];
  /** The error that each spawn throws, or null. A real spawn should not throw. */
  error: Error | null = null;
  /** Called during each spawn. */
  onSpawn: (spec: Spec) => void = () => {};
  /** How often a child was started, or failed to start, before the group of the previous child was empty. */
  overlaps = 0;
  readonly #clock: FakeClock;
  readonly #journal: string[];
  readonly #scripts = new Map<string, (run: number) => Script>();
  readonly #runs = new Map<string, number>();
  readonly #last = new Map<string, FakeChild>();

  constructor(clock: FakeClock, journal: string[]) {
    this.#clock = clock;
    this.#journal = journal;
  }

  /** Sets how the children of a process behave from now on: all the same, or each by its number, counted from 0. */
  script(name: string, script: Script | ((run: number) => Script)): void {
    this.#scripts.set(name, typeof script === "function" ? script : () => script);
  }

  /** Returns the last child that was started for a process. */
  last(name: string): FakeChild {
    const child = this.#last.get(name);
    if (child === undefined) throw new Error(`No child was started for ${name}`);
    return child;
  }

  /** Returns the names of the processes whose group is not empty. */
  running(): string[] {
    return [...this.#last].filter(([, child]) => !child.isEmptied).map(([name]) => name).sort();
  }

  /** Starts a child. */
  spawn(spec: Spec, output: ChildOutput, listener: ChildListener): FakeChild | null {
    const { name } = spec;
    const run = this.#runs.get(name) ?? 0;
    this.#runs.set(name, run + 1);
    if (this.#last.get(name)?.isEmptied === false) this.overlaps++;
    this.onSpawn(spec);
    if (this.error !== null) throw this.error;
    const script = this.#scripts.get(name)?.(run) ?? {};
    this.#journal.push(`spawn ${name}`);
    if (script.cannotStart !== undefined) {
      output.end();
      listener.leaderExited({ type: "failed", reason: script.cannotStart });
      listener.groupExited();
      return null;
    }
    const parts = { clock: this.#clock, journal: this.#journal, listener, output };
    const child = new FakeChild(101 + this.started.length, spec, script, parts);
    this.started.push(child);
    this.#last.set(name, child);
    return child;
  }
}
