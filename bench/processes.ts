/** Processes and time. `cat` reads /proc, because Deno reads it only with all permissions. */

/** Rejects when the benchmark is interrupted. Every wait then ends. */
const interruption = Promise.withResolvers<never>();
interruption.promise.catch(() => {});

/** Ends all waits, including later ones. */
export function interrupt(signal: string): void {
  interruption.reject(new Interrupted(`Interrupted by ${signal}`));
}

/** The benchmark was interrupted by a signal. */
export class Interrupted extends Error {}

/** Waits for a promise, with a timeout. */
export async function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Timed out after ${seconds} s, waiting for ${what}`)),
    seconds * 1000,
  );
  try {
    return await Promise.race([promise, late.promise, interruption.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a time, in milliseconds. */
export async function pause(ms: number): Promise<void> {
  await within(ms / 1000 + 60, "a timer", sleep(ms));
}

/** Writes a line to stdout. */
export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Runs a command. Returns what it wrote to stdout. */
export async function run(argv: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { success, text } = await attempt(argv, env);
  if (!success) throw new Error(`${argv.join(" ")} failed: ${text}`);
  return text;
}

/** Returns whether a command is installed. */
export async function hasCommand(name: string): Promise<boolean> {
  return (await attempt(["sh", "-c", `command -v "${name}"`])).success;
}

async function attempt(
  [command, ...args]: readonly string[],
  env: Record<string, string> = {},
): Promise<{ success: boolean; text: string }> {
  // Ctrl-C does not end it, because cleaning up needs commands too.
  const signal = AbortSignal.timeout(60_000);
  const child = new Deno.Command(command, { args, env, signal, stdin: "null", stdout: "piped", stderr: "null" });
  const { success, stdout } = await child.output();
  return { success, text: new TextDecoder().decode(stdout) };
}

/** Returns the running processes among the roots and their descendants, parents first. */
export async function family(roots: readonly number[]): Promise<number[]> {
  const parents = await living();
  const found = roots.filter((pid) => parents.has(pid));
  for (const pid of found) {
    for (const [child, parent] of parents) if (parent === pid) found.push(child);
  }
  return found;
}

/** Returns the total proportional set size of processes, in MiB. */
export async function proportionalSetSize(pids: readonly number[]): Promise<number> {
  const { text } = await attempt(["cat", ...pids.map((pid) => `/proc/${pid}/smaps_rollup`)]);
  const sizes = [...text.matchAll(/^Pss:\s*(\d+) kB$/gm)].map(([, size]) => Number(size));
  if (sizes.length < pids.length) throw new Error("Cannot read smaps_rollup of every process");
  return sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

/**
 * Adds up the CPU time of a process, including threads that have exited. Read it at least every 10 s: Deno keeps an
 * idle thread for that long.
 */
export class ProcessorTime {
  readonly #pid: number;
  readonly #threads = new Map<string, number>();

  /** Creates a counter for a process. */
  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Returns the CPU time, in milliseconds. */
  async read(): Promise<number> {
    const { text } = await attempt(["sh", "-c", `grep -H . /proc/${this.#pid}/task/*/schedstat 2>/dev/null`]);
    for (const [, thread, nanoseconds] of text.matchAll(/(\d+)\/schedstat:(\d+)/g)) {
      this.#threads.set(thread, Number(nanoseconds) / 1e6);
    }
    return this.#threads.values().reduce((sum, ms) => sum + ms, 0);
  }
}

/** Waits until processes have exited, even after Ctrl-C. Returns the processes that have not exited in that time. */
export async function ended(pids: readonly number[], seconds: number): Promise<number[]> {
  const deadline = performance.now() + seconds * 1000;
  let left = pids.filter(isThere);
  for (let turn = 1; left.length > 0 && performance.now() < deadline; turn++) {
    await sleep(1);
    left = left.filter(isThere);
    if (turn % 20 === 0) left = await withoutZombies(left);
  }
  return left;
}

/** Sends a signal to processes, and ignores processes that have exited. */
export function signal(pids: readonly number[], name: Deno.Signal): void {
  for (const pid of pids) if (isThere(pid)) Deno.kill(pid, name);
}

async function withoutZombies(pids: readonly number[]): Promise<number[]> {
  const there = await living();
  return pids.filter((pid) => there.has(pid));
}

/** Returns the parent of each process that is not a zombie. */
async function living(): Promise<Map<number, number>> {
  const { text } = await attempt(["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null"]);
  const rows = [...text.matchAll(/^(\d+) \(.*\) ([A-Z]) (\d+) /gm)].filter(([, , state]) => !"ZX".includes(state));
  return new Map(rows.map(([, pid, , parent]) => [Number(pid), Number(parent)]));
}

function isThere(pid: number): boolean {
  try {
    Deno.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
