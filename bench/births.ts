import { join } from "@std/path";

/** The start of a child. */
export interface Birth {
  /** When the child's line was read, by `performance.now()`. */
  readonly at: number;
  /** The pid of the child. */
  readonly pid: number;
}

/** Reports every child that starts: the first thing that a child does is to write its name and pid to a FIFO. */
export class Births implements AsyncDisposable {
  /** The pid of the last child of each name. */
  readonly pids: Map<string, number> = new Map();
  /** The path of the FIFO. */
  readonly path: string;
  readonly #expected = new Map<string, (birth: Birth) => void>();
  readonly #reading: Promise<void>;

  /** Creates the FIFO. */
  constructor(directory: string) {
    this.path = join(directory, "births");
    const { success } = new Deno.Command("mkfifo", { args: [this.path] }).outputSync();
    if (!success) throw new Error(`Cannot create a FIFO at ${this.path}`);
    // Open it for writing too, so that it does not end when a child closes it.
    this.#reading = this.#read(Deno.openSync(this.path, { read: true, write: true }));
  }

  /** Resolves with the next start of a child of that name. Call this before the cause of the start. */
  next(name: string): Promise<Birth> {
    return new Promise((resolve) => this.#expected.set(name, resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Deno.writeTextFileSync(this.path, "\n");
    await this.#reading;
  }

  async #read(fifo: Deno.FsFile): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const length = await fifo.read(buffer);
      const at = performance.now();
      const lines = (rest + decoder.decode(buffer.subarray(0, length ?? 0))).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === "") return fifo.close();
        const [name, pid] = line.split(" ");
        this.pids.set(name, Number(pid));
        this.#expected.get(name)?.({ at, pid: Number(pid) });
        this.#expected.delete(name);
      }
    }
  }
}
