import type { Exit } from "@ncolony/core";
import { exitOf } from "../children/child.ts";
import { whyNotStarted } from "../children/command.ts";

/** A running command that shares this program's stdin, stdout and stderr. */
export interface Foreground {
  /** Its process id. */
  readonly pid: number;
  /** Resolves with its exit code or signal. */
  readonly exit: Promise<Exit>;
}

/**
 * Starts a command that shares this program's stdin, stdout and stderr.
 *
 * @param isDetached Whether it leads its own session and process group, and so has no terminal.
 * @returns The command; or why it could not be started, with the exit code that shells use for that: 127 if it does not
 * exist, else 126.
 * @throws {Deno.errors.NotCapable} If `--allow-run` is missing for it.
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
