import { childEnv, parseMessage, parseSpec, route, type Spec } from "@ncolony/core";
import { denoEnviron } from "@ncolony/host";
import type { MonitorEventReceiver } from "./checker.ts";

/** What a {@linkcode Receiver} tells: the methods of Twisted's `ProcessMonitor` that Python NColony calls. */
export interface ProcessMonitor {
  /** Run this from now on, with exactly this environment. */
  addProcess(spec: Spec, env: Record<string, string>): void;
  /** Stop it, and do not run it again. */
  removeProcess(name: string): void;
  /** Stop it; it is to be started again. */
  stopProcess(name: string): void;
  /** Stop all; they are to be started again. */
  restartAll(): void;
}

/**
 * Turns files and messages into calls of a monitor (Python NColony's `process_events.Receiver`).
 *
 * @example
 * ```ts
 * import { Receiver } from "@ncolony/monitor";
 *
 * const calls: string[] = [];
 * const receiver = new Receiver({
 *   addProcess: (spec, env) => void calls.push(`add ${spec.name} ${env.NCOLONY_NAME}`),
 *   removeProcess: (name) => void calls.push(`remove ${name}`),
 *   stopProcess: (name) => void calls.push(`stop ${name}`),
 *   restartAll: () => void calls.push("restart all"),
 * });
 * receiver.add("web", '{"args": ["httpd"]}');
 * receiver.message('{"type": "RESTART", "name": "web"}');
 * if (calls.join() !== "add web web,stop web") throw new Error(calls.join());
 * ```
 */
export class Receiver implements MonitorEventReceiver {
  readonly #monitor: ProcessMonitor;
  readonly #environ: (name: string) => string | undefined;
  readonly #specs = new Map<string, Spec>();

  /**
   * Makes one that tells `monitor`.
   *
   * @param monitor Who is told.
   * @param environ Where `env_inherit` looks variables up; by default this program's environment.
   */
  constructor(monitor: ProcessMonitor, environ: (name: string) => string | undefined = denoEnviron) {
    this.#monitor = monitor;
    this.#environ = environ;
  }

  /**
   * Adds the process that a config file is about, unless the file says that it is not enabled.
   *
   * @throws {SpecError} Where the text is no config; nothing is told then.
   */
  add(name: string, contents: string): void {
    const spec = parseSpec(name, contents);
    if (!spec.enabled) return;
    this.#specs.set(name, spec);
    this.#monitor.addProcess(spec, childEnv(spec, this.#environ));
  }

  /** Removes the process of a file that went away; one that was never added is none. */
  remove(name: string): void {
    if (this.#specs.delete(name)) this.#monitor.removeProcess(name);
  }

  /**
   * Restarts what a message names; who is not known is passed over.
   *
   * @throws {MessageError} Where the text is no message.
   */
  message(contents: string): void {
    const message = parseMessage("message", contents);
    if (message.type === "RESTART-ALL") return this.#monitor.restartAll();
    for (const name of route(message, this.#specs)) this.#monitor.stopProcess(name);
  }
}
