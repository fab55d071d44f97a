import { childEnv, parseMessage, parseSpec, route, type Spec } from "@ncolony/core";
import { denoEnviron } from "@ncolony/host";
import type { MonitorEventReceiver } from "./checker.ts";

/** What a {@linkcode Receiver} calls: the methods of Twisted's `ProcessMonitor` that Python NColony uses. */
export interface ProcessMonitor {
  /** Keeps a process running from now on, with exactly this environment. */
  addProcess(spec: Spec, env: Record<string, string>): void;
  /** Stops a process, and does not start it again. */
  removeProcess(name: string): void;
  /** Stops a process, so that it is started again. */
  stopProcess(name: string): void;
  /** Stops all processes, so that they are started again. */
  restartAll(): void;
}

/**
 * Turns files and messages into calls to a monitor (Python NColony's `process_events.Receiver`).
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
   * Creates a receiver.
   *
   * @param monitor The monitor to call.
   * @param environ Looks up the variables of `env_inherit`, by default in this program's environment.
   */
  constructor(monitor: ProcessMonitor, environ: (name: string) => string | undefined = denoEnviron) {
    this.#monitor = monitor;
    this.#environ = environ;
  }

  /**
   * Adds the process of a config file, unless it is not enabled.
   *
   * @throws {SpecError} If the text is not a config. Then the monitor is not called.
   */
  add(name: string, contents: string): void {
    const spec = parseSpec(name, contents);
    if (!spec.enabled) return;
    this.#specs.set(name, spec);
    this.#monitor.addProcess(spec, childEnv(spec, this.#environ));
  }

  /** Removes the process of a file that disappeared, if it was added. */
  remove(name: string): void {
    if (this.#specs.delete(name)) this.#monitor.removeProcess(name);
  }

  /**
   * Restarts the processes that a message names. Unknown names are ignored.
   *
   * @throws {MessageError} If the text is not a message.
   */
  message(contents: string): void {
    const message = parseMessage("message", contents);
    if (message.type === "RESTART-ALL") return this.#monitor.restartAll();
    for (const name of route(message, this.#specs)) this.#monitor.stopProcess(name);
  }
}
