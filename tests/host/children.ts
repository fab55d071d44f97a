import { childEnv, describeExit } from "@ncolony/core";
import { type Child, type ChildOutput, type Clock, denoClock, type Environ } from "@ncolony/host";
import { spawnChild } from "../../host/children/spawn.ts";
import { until } from "../helpers.ts";
import { sample } from "../core/samples.ts";

/** Options of a {@linkcode Trial}. */
export interface TrialOptions {
  /** A clock to use instead of the machine's. */
  readonly clock?: Clock;
  /** Where `env_inherit` is looked up. Without it no variable is set. */
  readonly environ?: Environ;
}

/** One real child, with all its events. What is left of its group is killed at the end of the scope. */
export class Trial implements AsyncDisposable {
  /** The child. Null if it could not be started. */
  readonly child: Child | null;
  /** The events so far, in order: `leader-exited: exit code 0`, `group-exited`, `warn: …`. */
  readonly events: string[] = [];
  /** Its output so far, by stream. */
  readonly text = { stdout: "", stderr: "" };
  /** Whether its output has ended. */
  ended = false;

  /** Starts a child that runs `args`. `config` adds keys to its config file. */
  constructor(args: readonly string[], config: Record<string, unknown> = {}, options: TrialOptions = {}) {
    const { clock = denoClock, environ = () => undefined } = options;
    const sink = {
      leaderExited: (exit: Parameters<typeof describeExit>[0]) => this.told(`leader-exited: ${describeExit(exit)}`),
      groupExited: () => this.told("group-exited"),
      warn: (message: string) => this.told(`warn: ${message}`),
    };
    const spec = sample("web", { ...config, args });
    const killScope = spec.killScope === "all" ? "group" : spec.killScope;
    const start = { ...spec, killScope, env: () => childEnv(spec, environ), stdin: "piped" } as const;
    this.child = spawnChild(start, this.#output(), sink, clock);
  }

  /** Takes an event. A test may override this to inspect the state at that moment. */
  told(event: string): void {
    this.events.push(event);
  }

  /** The process id of the leader. */
  get pid(): number {
    if (this.child === null) throw new Error(`Cannot tell the pid: ${this.events}`);
    return this.child.pid;
  }

  /** Waits until the group is empty and the output has ended. Returns stdout. */
  async result(): Promise<string> {
    await this.emptied();
    await until("the output ends", () => this.ended);
    return this.text.stdout;
  }

  /** Waits until the group was reported empty. */
  async emptied(): Promise<void> {
    await until("nobody is left", () => this.events.includes("group-exited"));
  }

  /** Waits until a line was written to stdout. Returns it. */
  line(): Promise<string> {
    return until("a line is written", () => /^(.*)\n/.exec(this.text.stdout)?.[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child === null) return;
    const hasExited = () => this.events.some((event) => event.startsWith("leader-exited"));
    // Its group may not exist yet.
    if (!hasExited()) killNow(this.pid);
    killNow(-this.pid);
    await until("the leader has ended", hasExited);
  }

  #output(): ChildOutput {
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    const take = (stream: "stdout" | "stderr") => (bytes: Uint8Array) => {
      this.text[stream] += decoders[stream].decode(bytes, { stream: true });
    };
    return { stdout: take("stdout"), stderr: take("stderr"), end: () => this.ended = true };
  }
}

/** Returns the state of a process: sleeping (S), running (R), zombie (Z) and so on. */
export async function stateOf(pid: number): Promise<string> {
  await using trial = new Trial(["sh", "-c", `read -r stat < /proc/${pid}/stat; echo "$stat"`]);
  return (await trial.result()).split(" ")[2];
}

/** Waits until a process is in a state, such as `Z`. */
export async function inState(pid: number, state: string): Promise<void> {
  await until(`${pid} is in state ${state}`, async () => await stateOf(pid) === state);
}

/** Kills a process at the end of the scope: `using _ = ending(pid)`. */
export function ending(pid: number): Disposable {
  return { [Symbol.dispose]: () => killNow(pid) };
}

function killNow(pid: number): void {
  // 0 would be the group of the tests themselves, and -1 every process.
  if (!(Math.abs(pid) > 1)) throw new RangeError(`Cannot end process ${pid}: no such process id`);
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    // It has already exited.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
