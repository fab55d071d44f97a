import { type TempDir, tempDir } from "../helpers.ts";
import { Program } from "./program.ts";
import { signalIfThere, toolCommand } from "./tools.ts";

/** The permissions that the scheduler needs. */
export const SCHEDULER_PERMISSIONS: readonly string[] = ["--allow-run", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"];

/** The options of most runs. */
export const PATIENT: readonly string[] = ["--timeout", "1000", "--grace", "1000"];

/** Returns a command as options of the scheduler. */
export function command(...args: readonly string[]): string[] {
  return args.map((arg) => `--arg=${arg}`);
}

/** Returns a shell script as options of the scheduler. */
export function script(text: string): string[] {
  return command("sh", "-c", text);
}

/** A real scheduler. `await using` ends it, and every group whose leader printed `pid N`. */
export class Scheduled extends Program {
  /** A directory of its own. */
  readonly dir: TempDir;

  /** Starts the scheduler. */
  constructor(
    argv: (dir: TempDir) => readonly string[],
    { env = () => ({}), permissions = SCHEDULER_PERMISSIONS }: {
      readonly env?: (dir: TempDir) => Record<string, string>;
      readonly permissions?: readonly string[];
    } = {},
  ) {
    const dir = tempDir();
    super([...toolCommand("scheduler/mod.ts", permissions), ...argv(dir)], { env: env(dir), stdin: "piped" });
    this.dir = dir;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.isOver) this.#killGroups();
      await super[Symbol.asyncDispose]();
    } finally {
      this.#killGroups();
      this.dir[Symbol.dispose]();
    }
  }

  #killGroups(): void {
    const pids = this.stdout.map((line) => Number(/ pid (\d+)$/.exec(line)?.[1])).filter((pid) => pid > 1);
    for (const pid of pids) signalIfThere(-pid, "SIGKILL");
  }
}
