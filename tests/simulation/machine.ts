import { SETTLE_MS } from "@ncolony/host";
import { DEFAULTS } from "../../monitor/options.ts";
import { Colony } from "../../monitor/colony.ts";
import { FakeHost } from "../monitor/fake_host.ts";
import type { Action } from "./actions.ts";
import { Killed, MonitorView } from "./monitor_view.ts";

/** The options of a simulated monitor, with times in seconds. */
export const OPTIONS = {
  ...DEFAULTS,
  config: "/config",
  messages: "/messages",
  pid: "/pids",
  maxrestartdelay: 8,
} as const;

/** Long enough for a full scan and for its findings to settle, even on a slow disk. */
const REST_MS = 25_000;

/** Returns half of a text, as a slow writer leaves it for a moment. */
function half(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}

/** A machine in memory that runs the real monitor, and on which actions are performed. */
export class Machine {
  readonly host = new FakeHost();
  /** The sent messages, in order. A message is torn if half of it stayed there for longer than the settle time. */
  readonly mail: { readonly file: string; readonly text: string; isTorn: boolean }[] = [];
  /** The log of each run of the monitor. */
  readonly lives: string[][] = [];
  /** A promise that was broken during the history, or null. */
  broken: string | null = null;
  /** The processes that do not end on SIGKILL when the monitor is stopped. */
  readonly stuckInTheEnd = new Set<string>();
  /** How many actions happened. */
  actions = 0;
  #view!: MonitorView;
  #colony!: Colony;
  /** The exit code of the current monitor, once it has ended. */
  exitCode: number | null = null;
  #bringBack: (() => void) | null = null;
  #texts: Readonly<Record<string, string>> = {};

  constructor() {
    this.start();
  }

  /** Starts the monitor, for the first time or after it was killed. */
  start(): void {
    const { host } = this;
    const view = new MonitorView(host);
    this.#view = view;
    this.lives.push(host.log.take());
    const ignored = { stdout: () => {}, stderr: () => {}, end: () => {} };
    const output = { log: view.log, forChild: () => ignored, flush: () => Promise.resolve() };
    this.#colony = new Colony(OPTIONS, { host: view, output });
    const { ended } = this.#colony;
    this.#colony.start().then(async () => {
      const code = await ended;
      if (this.#view === view) this.exitCode = code;
    }).catch((error) => {
      if (error instanceof Killed) return;
      // A directory is missing, so the monitor is started again later.
      view.kill();
      host.clock.after(1000, () => this.#view === view && this.start());
    });
  }

  /** Stops the monitor in order. */
  stop(): void {
    this.#colony.stop();
  }

  /** Advances the clock. */
  advance(byMs: number): Promise<void> {
    return this.host.clock.advance(byMs);
  }

  /** Performs an action, and waits for what follows at once. */
  async perform(action: Action): Promise<void> {
    this.actions++;
    if (action.do === "time") return await this.advance(action.passMs);
    if (action.do === "calm") return await this.#trial(action.then, action.name);
    await this.#happen(action);
    await this.host.clock.settle();
  }

  async #happen(action: Action): Promise<void> {
    const { children, config, messages, pids, watches, clock } = this.host;
    switch (action.do) {
      case "config":
        return await this.#write(action.name, action.text, action.way);
      case "remove":
        return config.id === null ? undefined : config.remove(action.name);
      case "plant":
        return config.id === null ? undefined : config.plant(action.name, "not a regular file");
      case "mail": {
        const file = `${this.mail.length}`.padStart(4, "0");
        const letter = { file, text: action.text, isTorn: false };
        this.mail.push(letter);
        if (action.way === "rename") return messages.post(file, action.text);
        if (action.way === "half, then whole") {
          const since = clock.now();
          messages.write(file, half(action.text));
          await clock.advance(60);
          letter.isTorn = clock.now() - since >= SETTLE_MS;
        }
        return messages.write(file, action.text);
      }
      case "vanish":
        if (config.id !== null) this.#bringBack = config.vanish();
        return;
      case "return":
        return this.bringBack();
      case "unmount":
        this.#texts = config.id === null ? this.#texts : config.texts();
        this.#bringBack = null;
        return config.replace();
      case "remount":
        this.#bringBack = null;
        return config.replace(config.id === null || config.names.length === 0 ? this.#texts : config.texts());
      case "empty":
        return config.id === null ? undefined : config.names.forEach((name) => config.remove(name));
      case "rescan":
        return watches.rescan();
      case "kill the monitor":
        return this.#killMonitor();
      case "silent watch":
        watches.isSilent = action.is;
        return;
      case "no watch":
        watches.fault = action.is ? "no inotify instance is left" : null;
        return action.is ? watches.fail("it ended") : undefined;
      case "irremovable mail":
        messages.irremovable = action.is ? "read-only file system" : null;
        return;
      case "full disk":
        pids.writeFault = action.is ? "no space left on device" : null;
        return;
      case "script":
        return children.script(action.name, action.script);
      case "end":
        return children.started.findLast((child) => child.spec.name === action.name && child.exit === null)
          ?.end({ type: "code", code: 1 });
      case "stuck in the end":
        this.stuckInTheEnd.add(action.name);
        return;
      case "wall clock":
        clock.wallShiftMs += action.byMs;
        return;
      case "slow disk":
        config.costMs = action.costMs;
        return;
      case "time":
      case "calm":
        throw new Error(`"${action.do}" takes time`);
      case "race":
        return this.#race(action.afterCalls, action.action);
    }
  }

  /** Waits until everything is at rest, then performs an action that must stop no process. */
  async #trial(then: "bad edit" | "unmount" | "vanish", name: string): Promise<void> {
    const { config, log } = this.host;
    config.onCall = () => {};
    await this.advance(REST_MS);
    const stops = log.count("(unwanted)");
    if (then !== "bad edit") await this.#happen({ do: then });
    // The first file in a directory that replaced another one puts it in force, without the previous files.
    else if (config.id !== null && config.names.length > 0) config.post(name, "{");
    await this.advance(REST_MS);
    if (log.count("(unwanted)") > stops) this.broken ??= `nothing is stopped by: ${then}`;
    if (then !== "bad edit") await this.#happen({ do: then === "unmount" ? "remount" : "return" });
  }

  /** Brings the config directory back, if it was removed. */
  bringBack(): void {
    this.#bringBack?.();
    this.#bringBack = null;
  }

  async #write(name: string, text: string, way: string): Promise<void> {
    const { clock, config } = this.host;
    if (config.id === null) return;
    switch (way) {
      case "rename":
        return config.post(name, text);
      case "half, then whole":
        config.write(name, half(text));
        await clock.advance(60);
        return config.id === null ? undefined : config.write(name, text);
      case "vim":
        if (config.names.includes(name)) config.move(name, `${name}~`);
        config.write(name, half(text));
        await clock.advance(20);
        if (config.id !== null) config.write(name, text);
        return config.id !== null && config.names.includes(`${name}~`) ? config.remove(`${name}~`) : undefined;
      case "sed -i":
        config.write("sedAb12", half(text));
        await clock.advance(20);
        if (config.id === null) return;
        config.write("sedAb12", text);
        return config.move("sedAb12", name);
      default:
        return config.write(name, text);
    }
  }

  /** Kills the monitor, and starts it again at once. */
  #killMonitor(): void {
    this.#view.kill();
    this.start();
  }

  /** Performs an action while the monitor waits for an operation on the config directory. */
  #race(afterCalls: number, action: Action): void {
    const { config } = this.host;
    let calls = 0;
    config.onCall = () => {
      if (calls++ < afterCalls) return;
      config.onCall = () => {};
      this.#happen(action);
    };
  }
}
