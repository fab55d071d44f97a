import { dirname, join } from "@std/path";
import { hasCommand, pause, run, signal } from "./processes.ts";
import type { Supervisor } from "./supervisor.ts";

/** A measure. */
export interface Measure {
  /** Its name on the command line. */
  readonly name: string;
  /** Its title in the table. */
  readonly title: string;
  /** Its unit. */
  readonly unit: "ms" | "MiB" | "MiB/s";
}

/** The size of a benchmark. */
export interface Size {
  /** The number of rounds. Each round takes each measure once. */
  readonly rounds: number;
  /** How much the log writer writes, in MiB. */
  readonly logMebibytes: number;
}

/** The results of one run of a supervisor, by measure. */
export type Numbers = Record<string, number>;

/** One run of a supervisor, which takes some of the measures. */
export interface Scenario {
  readonly measures: readonly Measure[];
  readonly run: (supervisor: Supervisor, wanted: ReadonlySet<string>, round: number, size: Size) => Promise<Numbers>;
}

/** What must exist before the first scenario. */
export interface Programs {
  /** The shell that runs the children's scripts. */
  readonly shell: string;
  /** A file whose content the log writer writes again and again. */
  readonly block: string;
}

/** All scenarios. */
export const SCENARIOS: readonly Scenario[] = [
  {
    measures: [
      { name: "up1", title: "start with 1 child", unit: "ms" },
      { name: "memory1", title: "PSS with 1 child", unit: "MiB" },
      { name: "crash", title: "child killed → next", unit: "ms" },
      { name: "restart", title: "restart asked → next", unit: "ms" },
      { name: "ctl", title: "restart command", unit: "ms" },
      { name: "add", title: "config written → child", unit: "ms" },
    ],
    run: few,
  },
  {
    measures: [
      { name: "up100", title: "start with 100 children", unit: "ms" },
      { name: "memory100", title: "PSS with 100 children", unit: "MiB" },
      { name: "stop100", title: "stop 100 children", unit: "ms" },
    ],
    run: (supervisor) => many(supervisor, 100),
  },
  {
    measures: [
      { name: "up1000", title: "start with 1,000 children", unit: "ms" },
      { name: "memory1000", title: "PSS with 1,000 children", unit: "MiB" },
      { name: "stop1000", title: "stop 1,000 children", unit: "ms" },
    ],
    run: (supervisor) => many(supervisor, 1000),
  },
  { measures: [{ name: "log", title: "output → complete log file", unit: "MiB/s" }], run: log },
];

/** All measures, in order. */
export const MEASURES: readonly Measure[] = SCENARIOS.flatMap(({ measures }) => measures);

const BLOCK_MEBIBYTES = 16;
const END = "this is the last line";

/** Writes the file whose content the log writer writes again and again: lines of 128 bytes. */
export function writeBlock(path: string): void {
  Deno.writeTextFileSync(path, `${"0123456789 ".repeat(12).slice(0, 127)}\n`.repeat(BLOCK_MEBIBYTES * 8192));
}

/** Returns busybox if it is installed: it starts in half the time of most shells, so it adds less to each number. */
export async function fastestShell(): Promise<string> {
  return await hasCommand("busybox") ? `${(await run(["sh", "-c", "command -v busybox"])).trim()} sh` : "/bin/sh";
}

/** Writes a program that reports its start, does something, and sleeps. */
export function writeProgram(supervisor: Supervisor, name: string, shell: string, act = ""): void {
  const text = `#!${shell}\necho "$1 $$" >${supervisor.births.path}\n${act}exec sleep 1000000\n`;
  supervisor.write(name, text, 0o755);
}

/** Writes the programs that the supervisor runs. */
export function writePrograms(supervisor: Supervisor, { shell, block }: Programs, { logMebibytes }: Size): void {
  const blocks = Array(logMebibytes / BLOCK_MEBIBYTES).fill(block).join(" ");
  writeProgram(supervisor, "child", shell);
  writeProgram(supervisor, "writer", shell, `cat ${blocks}\necho ${END}\n`);
}

async function few(
  supervisor: Supervisor,
  wanted: ReadonlySet<string>,
  round: number,
  { rounds }: Size,
): Promise<Numbers> {
  const numbers: Numbers = { up1: await up(supervisor, ["first"]) };
  await pause(3000);
  if (wanted.has("memory1")) numbers.memory1 = await supervisor.memory();
  if (wanted.has("crash")) {
    const pid = supervisor.births.pids.get("first")!;
    numbers.crash = await timed(supervisor, ["first"], () => signal([pid], "SIGKILL"));
    await pause(3000);
  }
  if (wanted.has("restart")) numbers.restart = await timed(supervisor, ["first"], () => supervisor.restart("first"));
  if (wanted.has("ctl")) {
    await pause(3000);
    const birth = supervisor.born("first");
    const asked = performance.now();
    await supervisor.restartByCommand("first");
    numbers.ctl = performance.now() - asked;
    await birth;
  }
  if (wanted.has("add")) {
    // For supervisors that poll, spread the changes evenly between two polls.
    await pause(1500 + supervisor.pollMs * (round + 0.5) / rounds);
    numbers.add = await timed(supervisor, ["second"], async () => {
      configure(supervisor, "second");
      await supervisor.activate("second");
    });
  }
  await supervisor.stop();
  return numbers;
}

async function many(supervisor: Supervisor, count: number): Promise<Numbers> {
  const started = await up(supervisor, Array.from({ length: count }, (_, i) => `child${i}`));
  await pause(3000);
  const memory = await supervisor.memory();
  return { [`up${count}`]: started, [`memory${count}`]: memory, [`stop${count}`]: await supervisor.stop() };
}

async function log(
  supervisor: Supervisor,
  _wanted: ReadonlySet<string>,
  _round: number,
  { logMebibytes }: Size,
): Promise<Numbers> {
  await supervisor.prepare();
  supervisor.configure("writer", [supervisor.path("writer"), "writer"]);
  // Otherwise this supervisor would wait for data that the previous one wrote.
  await run(["sync"]);
  const began = supervisor.born("writer");
  const [start] = await Promise.all([began, supervisor.start()]);
  const file = supervisor.logFile("writer");
  while (!lastBytes(file, 64).includes(END)) {
    if (performance.now() - start > 300_000) throw new Error("The log is not complete after 300 s");
    await pause(5);
  }
  const seconds = (performance.now() - start) / 1000;
  const sizes = [...Deno.readDirSync(dirname(file))].map(({ name }) => Deno.statSync(join(dirname(file), name)).size);
  const lost = logMebibytes * 2 ** 20 - sizes.reduce((sum, size) => sum + size, 0);
  if (lost > 0) throw new Error(`The log lacks ${lost} bytes`);
  await supervisor.stop();
  return { log: logMebibytes / seconds };
}

async function up(supervisor: Supervisor, names: readonly string[]): Promise<number> {
  await supervisor.prepare();
  for (const name of names) configure(supervisor, name);
  // runsvdir waits if its directory was changed in the same second.
  await pause(1200);
  return await timed(supervisor, names, () => supervisor.start());
}

function configure(supervisor: Supervisor, name: string): void {
  supervisor.configure(name, [supervisor.path("child"), name]);
}

/** Returns the time from a cause until all of the named children have started, in milliseconds. */
export async function timed(
  supervisor: Supervisor,
  names: readonly string[],
  cause: () => Promise<void> | void,
): Promise<number> {
  const births = supervisor.born(...names);
  const asked = performance.now();
  const [last] = await Promise.all([births, cause()]);
  return last - asked;
}

function lastBytes(path: string, count: number): string {
  try {
    using file = Deno.openSync(path);
    const { size } = file.statSync();
    file.seekSync(Math.max(0, size - count), Deno.SeekMode.Start);
    const buffer = new Uint8Array(count);
    return new TextDecoder().decode(buffer.subarray(0, file.readSync(buffer) ?? 0));
  } catch (error) {
    // The log file does not exist yet, or is being renamed.
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
