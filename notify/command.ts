import { LineSplitter, type Notice, shownText, visible } from "@ncolony/core";
import { type Child, type ChildListener, type ChildOutput, type Clock, spawnChild } from "@ncolony/host";
import { basename } from "@std/path/posix/basename";

/** The command that gets the reports. */
export class Command {
  /** Its name in the log. */
  readonly name: string;
  readonly #args: readonly [string, ...string[]];
  readonly #clock: Clock;
  #lastLine: string | null = null;

  /** Creates it from the command and its arguments. */
  constructor(args: readonly [string, ...string[]], clock: Clock) {
    this.name = basename(args[0]);
    this.#args = args;
    this.#clock = clock;
  }

  /** The last line that the last run wrote to stderr. Null if there was none. */
  get lastLine(): string | null {
    return this.#lastLine;
  }

  /**
   * Starts a run. It gets this program's environment and the notice. The end of its kill scope is reported when all of its
   * output is read.
   */
  start({ variables, document }: Notice, output: ChildOutput, listener: ChildListener): Child | null {
    this.#lastLine = null;
    const lines = new LineSplitter((bytes, start, end, isFirst) => this.#note(bytes.subarray(start, end), isFirst));
    const read = Promise.withResolvers<void>();
    const stdin = new TextEncoder().encode(document);
    return spawnChild(
      { name: this.name, args: this.#args, killScope: "all", variables, stdin },
      {
        stdout: output.stdout,
        stderr: (bytes) => {
          lines.push(bytes);
          return output.stderr(bytes);
        },
        end: () => {
          lines.end();
          output.end();
          read.resolve();
        },
      },
      {
        leaderExited: (exit) => listener.leaderExited(exit),
        groupExited: () => void read.promise.then(() => listener.groupExited()),
        warn: (message) => listener.warn(message),
      },
      this.#clock,
    );
  }

  #note(bytes: Uint8Array, isFirst: boolean): void {
    const line = new TextDecoder().decode(bytes).trim();
    if (isFirst && line !== "") this.#lastLine = visible(shownText(line));
  }
}
