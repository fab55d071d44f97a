import type { Clock } from "../types.ts";
import { allPids, parseStats, type ProcessInfo, readProcess, zombiesIn } from "./proc.ts";
import { mayReadProc } from "./proc_view.ts";

/** All processes of the machine. */
export interface ProcessScan {
  /** The processes that were found. */
  readonly processes: readonly ProcessInfo[];
  /** Whether all listed processes could be read. One that had exited may have started another one that is not listed. */
  readonly isExact: boolean;
  /** The keys of the zombies in the previous scan. Any other zombie may have started a process that is not listed. */
  readonly oldZombies: ReadonlySet<string>;
}

/** What one scan finds by itself. */
type Found = Omit<ProcessScan, "oldZombies">;

/** Scans of all processes of the machine. Each answers everyone who asked before it began. */
export class ProcessScans {
  readonly #clock: Pick<Clock, "after" | "now" | "yield">;
  /** Whether /proc can be read without a shell. Null if that is not known yet. */
  #isDirect: boolean | null = null;
  #next: Promise<ProcessScan> | null = null;
  #zombies: ReadonlySet<string> = new Set();
  /** The earliest time of the next scan: no more than half of the time is spent on scans. */
  #notBefore = -Infinity;

  /** Creates scans. Nothing is read yet. */
  constructor(clock: Pick<Clock, "after" | "now" | "yield">) {
    this.#clock = clock;
  }

  /** Resolves with all processes, from a scan that begins after this call. Rejects if they cannot be seen. */
  next(): Promise<ProcessScan> {
    return this.#next ??= this.#scan();
  }

  async #scan(): Promise<ProcessScan> {
    // Processes that ended together are reported one after another.
    await this.#clock.yield();
    const waitMs = this.#notBefore - this.#clock.now();
    if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
    this.#next = null;
    const startedAt = this.#clock.now();
    // Now, because another scan may end while this one is under way.
    const oldZombies = this.#zombies;
    try {
      this.#isDirect ??= mayReadProc();
      const found = this.#isDirect ? readScan() : await askForScan();
      this.#zombies = zombiesIn(found.processes);
      return { ...found, oldZombies };
    } finally {
      const endedAt = this.#clock.now();
      this.#notBefore = endedAt + (endedAt - startedAt);
    }
  }
}

function readScan(): Found {
  const found = allPids().map(readProcess);
  const processes = found.filter((info) => info !== null);
  return { processes, isExact: processes.length === found.length };
}

/** Reads /proc through a shell, which needs only `--allow-run`. @throws {Error} If that fails. */
async function askForScan(): Promise<Found> {
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'set -- /proc/[0-9]*/stat; echo $#; exec cat "$@"'],
    env: { PATH: "/bin:/usr/bin" },
    clearEnv: true,
    stdin: "null",
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const processes = parseStats(text);
  const isExact = processes.length === Number(text.slice(0, text.indexOf("\n")));
  if (processes.some(({ pid }) => pid === Deno.pid)) return { processes, isExact };
  throw new Error("/proc cannot be read, not even by sh and cat");
}
