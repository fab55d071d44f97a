import type { Exit, Spec, StopSignal } from "@ncolony/core";
import type { Child, ChildListener, ChildOutput } from "@ncolony/host";
import type { FakeClock } from "./fake_clock.ts";

/** How a child behaves. What is not said: it lives until it is asked to end, and then ends at once. */
export interface Script {
  /** Why it cannot be started. */
  readonly cannotStart?: string;
  /** Its leader ends by itself at this age. */
  readonly livesMs?: number;
  /** How its leader ends by itself. @default {{ type: "code", code: 0 }} */
  readonly exit?: Exit;
  /** How long its leader takes to end when it is asked; Infinity: it takes no notice. @default {0} */
  readonly endsInMs?: number;
  /** Who outlives the leader: one that ends when it is asked, or only SIGKILL ends, or not even that. */
  readonly leaves?: "mild" | "stubborn" | "stuck";
  /** Whether not even SIGKILL ends its leader, as in an uninterruptible sleep. */
  readonly isStuck?: boolean;
  /** Whether the operating system refuses to send it signals. */
  readonly refuses?: boolean;
}

/** One child, from its spawn until nobody is left of it. */
export class FakeChild implements Child {
  readonly pid: number;
  /** What was started. */
  readonly spec: Spec;
  /** When that was. */
  readonly since: number;
  /** How it behaves from now on. */
  script: Script;
  /** The signals that reached it. */
  readonly signals: StopSignal[] = [];
  refused = false;
  #exit: Exit | null = null;
  #rest: Script["leaves"];
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
    this.#rest = spec.killScope === "group" ? script.leaves : undefined;
    if (script.livesMs !== undefined) {
      this.#clock.after(script.livesMs, () => this.end(this.script.exit ?? { type: "code", code: 0 }));
    }
  }

  /** How its leader ended, or null. */
  get exit(): Exit | null {
    return this.#exit;
  }

  /** Whether nobody is left of it. */
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

  /** Tells its end to another monitor from now on: the one that started it was killed. */
  adopt(listener: ChildListener): this {
    this.#listener = listener;
    // Its leader may have ended while nobody was there to be told.
    if (this.#exit !== null) listener.leaderExited(this.#exit);
    if (this.#isEmptied) listener.groupExited();
    return this;
  }

  /** Ends its leader, and all of it unless somebody of the group is left. */
  end(exit: Exit): void {
    if (this.#exit !== null) return;
    this.#exit = exit;
    // Before anybody is told, so that nobody signals a group that is empty.
    this.#isEmptied = this.#rest === undefined;
    this.#listener.leaderExited(exit);
    if (this.#isEmptied) this.#tellEmptied();
  }

  /** Ends whoever outlived the leader. */
  endRest(): void {
    this.#rest = undefined;
    if (this.#isEmptied || this.#exit === null) return;
    this.#isEmptied = true;
    this.#tellEmptied();
  }

  whoIsLeft(): string {
    return `pid ${this.pid} (uninterruptible sleep)`;
  }

  /** Ends what held it: it takes signals, and the SIGKILL that it got before. */
  release(): void {
    this.script = { ...this.script, refuses: false, isStuck: false };
    if (this.#rest === "stuck") this.#rest = "stubborn";
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

  /** Ends by a signal what that ends. */
  #die(signal: StopSignal, inMs: number): void {
    if (!this.script.isStuck && inMs < Infinity) this.#clock.after(inMs, () => this.end({ type: "signal", signal }));
    const endsRest = signal === "SIGKILL" ? this.#rest !== "stuck" : this.#rest === "mild";
    if (endsRest) this.#clock.after(0, () => this.endRest());
  }

  #tellEmptied(): void {
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

/** Starts children that behave as tests say. */
export class FakeChildren {
  /** Every child that was started, in this order. */
  readonly started: FakeChild[] = [];
  /** What a spawn throws, which no spawn should, or null. */
  error: Error | null = null;
  /** What happens during each spawn. */
  onSpawn: (spec: Spec) => void = () => {};
  /** How often a child was started, or tried to be, before the one before it was emptied. */
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

  /** Says how the children of a process behave from now on, all in the same way or each in its own, counted from 0. */
  script(name: string, script: Script | ((run: number) => Script)): void {
    this.#scripts.set(name, typeof script === "function" ? script : () => script);
  }

  /** The last child that was started for a process. */
  last(name: string): FakeChild {
    const child = this.#last.get(name);
    if (child === undefined) throw new Error(`No child was started for ${name}`);
    return child;
  }

  /** The names of those that run, with anybody of their groups. */
  running(): string[] {
    return [...this.#last].filter(([, child]) => !child.isEmptied).map(([name]) => name).sort();
  }

  /** Starts one. */
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
