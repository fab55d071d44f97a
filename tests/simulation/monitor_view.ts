import type { Child, ChildListener, ChildOutput, Clock, Host, Log } from "@ncolony/host";
import type { Lack, Spec } from "@ncolony/core";
import type { FakeHost } from "../monitor/fake_host.ts";

/** The machine as one run of the monitor sees it. After `kill()`, nothing on the machine reaches that monitor. */
export class MonitorView implements Host {
  readonly clock: Clock;
  readonly gid: number | null = 1000;
  readonly #host: FakeHost;
  readonly #held: (() => void)[] = [];
  #isAlive = true;

  constructor(host: FakeHost) {
    this.#host = host;
    const { clock } = host;
    this.clock = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      after: (delayMs, callback) => clock.after(delayMs, () => this.#isAlive && callback()),
      yield: () => new Promise((resolve) => void clock.yield().then(() => this.#isAlive && resolve())),
    };
  }

  /** Kills the monitor. Its locks and watches are released. */
  kill(): void {
    this.#isAlive = false;
    for (const letGo of this.#held) letGo();
  }

  directory(path: string): ReturnType<Host["directory"]> {
    return this.#guard(this.#host.directory(path));
  }

  messagesDirectory(path: string): ReturnType<Host["messagesDirectory"]> {
    return this.#guard(this.#host.messagesDirectory(path));
  }

  watch(...[paths, listener]: Parameters<Host["watch"]>): ReturnType<Host["watch"]> {
    const watch = this.#host.watch(paths, listener);
    this.#held.push(() => watch.close());
    return watch;
  }

  async lock(path: string): ReturnType<Host["lock"]> {
    const lock = await this.#host.lock(path);
    if (lock !== null && this.#isAlive) this.#held.push(() => lock[Symbol.dispose]());
    else lock?.[Symbol.dispose]();
    return lock;
  }

  /** This machine has no limits. */
  lack({ limits }: Spec): Lack | null {
    return Object.keys(limits).length === 0 ? null : { field: "ncolony.monitor.limits", reason: "no limits" };
  }

  readonly killScope = "session";

  async open(): Promise<void> {
    await this.#host.open();
  }

  ready(): null {
    return null;
  }

  async close(): Promise<void> {
    await this.#host.close();
  }

  readonly pid = 4711;

  createDirectory(): void {
    throw new Error("no directories are created on this machine");
  }

  statusFiles(): never {
    throw new Error("no status files on this machine");
  }

  logs(): never {
    throw new Error("no log files on this machine");
  }

  pidFiles(): ReturnType<Host["pidFiles"]> {
    const { pids } = this.#host;
    return {
      path: pids.path,
      lock: () => pids.lock(),
      prepare: (spec) => this.#isAlive ? pids.prepare(spec) : null,
      write: (spec, pid) => this.#isAlive ? pids.write(spec, pid) : null,
      removePid: (name) => this.#isAlive ? pids.removePid(name) : null,
      remove: (name) => this.#isAlive ? pids.remove(name) : null,
      restore: () => this.#isAlive ? pids.restore() : null,
      close: () => {},
      findChildren: async (config) => {
        return (await pids.findChildren(config)).map((found) => {
          return { ...found, open: (listener) => this.#childOf(found.open(this.#listenerOf(listener))) };
        });
      },
    };
  }

  spawn(spec: Spec, output: ChildOutput, listener: ChildListener): ReturnType<Host["spawn"]> {
    if (!this.#isAlive) return null;
    const child = this.#host.spawn(spec, output, this.#listenerOf(listener));
    return child === null ? null : this.#childOf(child);
  }

  /** The log of this run. */
  get log(): Log {
    const { log } = this.#host;
    return {
      debug: (...line) => this.#isAlive && log.debug(...line),
      info: (...line) => this.#isAlive && log.info(...line),
      warn: (...line) => this.#isAlive && log.warn(...line),
      error: (...line) => this.#isAlive && log.error(...line),
    };
  }

  #childOf(child: Child): Child {
    const isAlive = () => this.#isAlive;
    return {
      pid: child.pid,
      scope: child.scope,
      get refused(): boolean {
        return child.refused;
      },
      signal: (signal) => isAlive() && child.signal(signal),
      retry: () => isAlive() && child.retry(),
      whoIsLeft: () => child.whoIsLeft(),
      usage: () => child.usage(),
    };
  }

  #listenerOf(listener: ChildListener): ChildListener {
    return {
      leaderExited: (exit) => this.#isAlive && listener.leaderExited(exit),
      groupExited: () => this.#isAlive && listener.groupExited(),
      warn: (message) => this.#isAlive && listener.warn(message),
    };
  }

  /** Wraps an object so that a call does not return to a monitor that was killed during the call. */
  #guard<T extends object>(port: T): T {
    return Object.fromEntries(
      Object.entries(port).map(([key, value]) => [
        key,
        typeof value !== "function" ? value : (...args: unknown[]) => {
          const answer = value(...args);
          if (!this.#isAlive) throw new Killed();
          return answer;
        },
      ]),
    ) as T;
  }
}

/** Unwinds a monitor that was killed during a call. The monitor must not treat it as an error. */
export class Killed extends Error {
  override readonly name = "Killed";
}
