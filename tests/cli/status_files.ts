import { join } from "@std/path";
import { type TempDir, tempDir } from "../helpers.ts";
import { Colony, type ColonyOptions } from "./harness.ts";

/** What a test reads of `STATUS/NAME`. */
export interface StatusFile {
  readonly [key: string]: unknown;
  readonly state: string;
  readonly pid: number | null;
  readonly incarnation: number;
  readonly starts: number;
  readonly waits_for: string | null;
  readonly last_exit: Readonly<Record<string, unknown>> | null;
  readonly cause: Readonly<Record<string, unknown>> | null;
  readonly problem: Readonly<Record<string, unknown>> | null;
}

/** Returns a directory for a colony that is not removed with it. */
export function lent(dir: TempDir): TempDir {
  return { ...dir, [Symbol.dispose]: () => {} };
}

/** A colony with a status directory. */
export class StatusColony extends Colony {
  /** The status directory. */
  readonly status: string;
  readonly #place: TempDir;

  /** Starts the monitor. Its status directory is `status` in `place`. */
  constructor({ args = [], ...options }: ColonyOptions = {}, place: TempDir = tempDir()) {
    super({ ...options, args: ["--status", place.file("status"), ...args] });
    this.status = place.file("status");
    this.#place = place;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.#place[Symbol.dispose]();
  }

  /** Returns the content of a file in the status directory. Null if it does not exist. */
  read(...path: string[]): Record<string, unknown> | null {
    return readJson(join(this.status, ...path));
  }

  /** Waits until the status of a process fulfills a condition. */
  async told(name: string, what: string, condition: (status: StatusFile) => boolean): Promise<StatusFile> {
    return await this.until(`${name} is told to be ${what}`, () => {
      const status = this.read(name) as StatusFile | null;
      return status !== null && condition(status) && status;
    });
  }

  /** Waits until the status of a process has this state. */
  async inState(name: string, state: string): Promise<StatusFile> {
    return await this.told(name, state, (status) => status.state === state);
  }

  /** The recorded events, of one process or of all and the monitor itself. */
  recorded(name?: string): RecordedLine[] {
    const all = recordedIn(join(this.status, ".events"));
    return name === undefined ? all : all.filter((event) => event.name === name);
  }

  /** The names of the events in the history of a process. */
  story(name: string): string {
    const history = (this.read(".history", name)?.history ?? []) as { readonly event: string }[];
    return history.map(({ event }) => event).join(" ");
  }
}

/** A line of `STATUS/.events`. */
export interface RecordedLine {
  readonly [key: string]: unknown;
  readonly id: number;
  readonly name: string | null;
  readonly event: string;
}

/** Returns the events of a file in a status directory, without the empty lines between them. */
export function recordedIn(path: string): RecordedLine[] {
  try {
    return Deno.readTextFileSync(path).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function readJson(path: string): Record<string, unknown> | null {
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
