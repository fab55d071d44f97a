import type { Clock } from "../types.ts";
import { allPids, parseStats, type ProcessInfo, readProcess } from "./proc.ts";
import { mayReadProc } from "./proc_view.ts";

/** All processes of the machine. */
export interface ProcessScan {
  /** The processes that were found. */
  readonly processes: readonly ProcessInfo[];
  /** Whether no process exited during the scan. One that did may have started another that was not found. */
  readonly isExact: boolean;
}

/** Scans of all processes of the machine. Each answers everyone who asked before it began. */
export class ProcessScans {
  readonly #clock: Pick<Clock, "after" | "now" | "yield">;
  /** Whether /proc can be read without a shell. Null if that is not known yet. */
  #isDirect: boolean | null = null;
  #next: Promise<ProcessScan> | null = null;
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
    try {
      this.#isDirect ??= mayReadProc();
      return this.#isDirect ? readScan() : await askForScan();
    } finally {
      const endedAt = this.#clock.now();
      this.#notBefore = endedAt + (endedAt - startedAt);
    }
  }
}

function readScan(): ProcessScan {
  const found = allPids().map(readProcess);
  const processes = found.filter((info) => info !== null);
  return { processes, isExact: processes.length === found.length };
}

/** Reads /proc through a shell, which needs only `--allow-run`. @throws {Error} If that fails. */
async function askForScan(): Promise<ProcessScan> {
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
