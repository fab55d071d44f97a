import { isAtRest, MAX_CONFIG_BYTES, type Order, quotedName } from "@ncolony/core";
import { denoClock, sha256, StatusReader, terminal } from "@ncolony/host/read-tool";
import { complain, ExitError, readLinkedFile } from "@ncolony/host/tool";
import { Checks } from "./checks.ts";
import type { Places } from "./ctl.ts";
import { PROGRAM } from "./program.ts";
import { NOTHING } from "./unknown.ts";
import { waitFor } from "./wait.ts";

/** How to wait. */
export interface Wait {
  /** The status directory. */
  readonly status: string;
  /** How long, in milliseconds. Null: as long as it should take at most. */
  readonly timeoutMs: number | null;
  /** How many processes are restarted at a time. Infinity: all. */
  readonly rolling: number;
}

/**
 * Waits until what a command asks for is done. The methods that wait return the exit code: 0 if it is done, 3 if it has
 * failed or takes too long.
 */
export class Waiter {
  readonly #places: Places;
  readonly #wait: Wait;
  readonly #reader: StatusReader;
  readonly #checks: Checks;
  readonly #since = denoClock.wall();

  /**
   * Begins to wait. The command asks after that.
   *
   * @throws {ExitError} With 4 if there is no monitor.
   * @throws {Error} If the status may not be read.
   */
  constructor(places: Places, wait: Wait) {
    this.#places = places;
    this.#wait = wait;
    this.#reader = new StatusReader(wait.status);
    if (this.#reader.names() === null || this.#reader.isAlive() === false) {
      throw new ExitError(`no monitor writes the status in ${JSON.stringify(wait.status)}`, NOTHING);
    }
    this.#checks = new Checks(this.#reader, places.config);
  }

  /** Whether to restart only some processes at a time. */
  get isRolling(): boolean {
    return this.#wait.rolling !== Infinity;
  }

  /** Returns the names of the processes that are not at rest. */
  running(): string[] {
    return (this.#reader.names() ?? []).filter((name) => {
      const status = this.#reader.process(name)?.status;
      return status !== undefined && !isAtRest(status);
    });
  }

  /** Waits until processes run with the configs that they have now. */
  async untilRunning(names: readonly string[]): Promise<number> {
    const orders = names.map(async (name): Promise<[string, Order]> => {
      const source = readLinkedFile(this.#places.config, name, MAX_CONFIG_BYTES) ?? "";
      return [name, { type: "config", sha256: await sha256(source), at: this.#since }];
    });
    return await this.#until(new Map(await Promise.all(orders)));
  }

  /** Waits until nothing is left of processes. */
  async untilGone(names: readonly string[]): Promise<number> {
    return await this.#until(new Map(names.map((name) => [name, { type: "stop" }])));
  }

  /**
   * Asks for restarts and waits for them, a few at a time if {@linkcode isRolling}, and for no more after a failure.
   *
   * @param ask Asks for the restart of a process, and returns the name of the message.
   */
  async untilRestarted(names: readonly string[], ask: (name: string) => string): Promise<number> {
    const { rolling } = this.#wait;
    for (let begun = 0; begun < names.length; begun += rolling) {
      const some = names.slice(begun, begun + rolling);
      const code = await this.#until(new Map(some.map((name) => [name, { type: "restart", message: ask(name) }])));
      if (code === 0) continue;
      const rest = names.slice(begun + rolling).map(quotedName);
      if (rest.length > 0) complain(PROGRAM, `not restarted because of that: ${rest.join(", ")}`);
      return code;
    }
    return 0;
  }

  /** Waits until orders are done. On a terminal, a spinner shows that. */
  async #until(orders: ReadonlyMap<string, Order>): Promise<number> {
    const { width } = terminal();
    const spinner = width === Infinity ? null : (await import("./spinner.ts")).spinnerFor([...orders.keys()], width);
    const report = (line: string) => {
      spinner?.stop();
      complain(PROGRAM, line);
      spinner?.start();
    };
    spinner?.start();
    try {
      return await waitFor(report, this.#reader, this.#checks, orders, this.#wait.timeoutMs);
    } finally {
      spinner?.stop();
    }
  }
}
