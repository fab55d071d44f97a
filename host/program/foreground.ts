import type { Exit } from "@ncolony/core";
import { exitOf } from "../children/child.ts";
import { whyNotStarted } from "../children/command.ts";

/** A command that has this program's own stdin, stdout and stderr. */
export interface Foreground {
  /** Its process id. */
  readonly pid: number;
  /** How it ended. */
  readonly exit: Promise<Exit>;
}

/**
 * Starts a command on this program's own stdin, stdout and stderr.
 *
 * @param isDetached Whether it leads a session and process group of its own, and so has no terminal.
 * @returns The command; or why it could not be started, with the exit code that shells give for that: 127 where it is not
 * there, else 126.
 * @throws {Deno.errors.NotCapable} Without `--allow-run` for it.
 */
export function startForeground(
  args: readonly [string, ...string[]],
  isDetached: boolean,
): Foreground | { readonly code: 126 | 127; readonly reason: string } {
  const [command, ...rest] = args;
  try {
    const inherit = {
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    } as const;
    const child = new Deno.Command(command, {
      args: rest,
      ...inherit,
      detached: isDetached,
    }).spawn();
    return { pid: child.pid, exit: exitOf(child) };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const code = error instanceof Deno.errors.NotFound ? 127 : 126;
    return { code, reason: whyNotStarted(error, { args }) };
  }
}
