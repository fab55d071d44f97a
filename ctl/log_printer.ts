import { visible, visibleBytes } from "@ncolony/core";
import { printAll, terminal } from "@ncolony/host/read-tool";
import type { LogLine } from "./log_lines.ts";

/** A line of the log of a process. */
export interface NamedLine {
  /** The name of the process. */
  readonly name: string;
  /** The line. */
  readonly line: LogLine;
}

/** A carriage return. */
const CR = 0x0d;

/** The colors of names, one after the other. */
const COLORS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/**
 * Prints lines of logs on stdout. Where they cannot control a terminal, their bytes are not changed. Lines of several
 * processes have their names, in different colors.
 */
export class LogPrinter {
  readonly #hasNames: boolean;
  readonly #isTerminal: boolean;
  readonly #hasColor: boolean;
  readonly #colors = new Map<string, number>();

  /** Creates a printer. */
  constructor(hasNames: boolean) {
    const { width, hasColor } = terminal();
    this.#hasNames = hasNames;
    this.#isTerminal = width !== Infinity;
    this.#hasColor = hasColor;
  }

  /**
   * Prints lines: by their times, if all have one. The lines of a process keep their order.
   *
   * @returns Whether somebody still reads them.
   */
  async print(lines: readonly NamedLine[]): Promise<boolean> {
    const pieces = inOrder(lines).map(({ name, line }) => this.#shown(name, line.bytes));
    const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length + 1, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
      all[at++] = 0x0a;
    }
    return await printAll(all);
  }

  #shown(name: string, bytes: Uint8Array): Uint8Array {
    const shown = this.#isTerminal ? visibleBytes(bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes) : bytes;
    if (!this.#hasNames) return shown;
    const prefix = new TextEncoder().encode(`${this.#shownName(name)} | `);
    const whole = new Uint8Array(prefix.length + shown.length);
    whole.set(prefix);
    whole.set(shown, prefix.length);
    return whole;
  }

  #shownName(name: string): string {
    const text = visible(name);
    if (!this.#hasColor) return text;
    const color = this.#colors.get(name) ?? COLORS[this.#colors.size % COLORS.length]!;
    this.#colors.set(name, color);
    return `\x1b[${color}m${text}\x1b[0m`;
  }
}

function inOrder(lines: readonly NamedLine[]): readonly NamedLine[] {
  if (lines.some(({ line }) => line.stamp === null)) return lines;
  const latest = new Map<string, number>();
  const timed = lines.map((named) => {
    const time = Math.max(named.line.stamp!.time, latest.get(named.name) ?? -Infinity);
    latest.set(named.name, time);
    return { named, time };
  });
  return timed.sort((a, b) => a.time - b.time).map(({ named }) => named);
}
