import { join } from "@std/path";

/** The first act of a child. */
export interface Birth {
  /** When it was heard of, by `performance.now()`. */
  readonly at: number;
  /** The child's. */
  readonly pid: number;
}

/** Hears of every child that starts: its first act is to write its name and pid to a FIFO, which is read here. */
export class Births implements AsyncDisposable {
  /** The pid of the last child of each name. */
  readonly pids: Map<string, number> = new Map();
  /** Where children write. */
  readonly path: string;
  readonly #expected = new Map<string, (birth: Birth) => void>();
  readonly #reading: Promise<void>;

  /** Makes the FIFO. */
  constructor(directory: string) {
    this.path = join(directory, "births");
    const { success } = new Deno.Command("mkfifo", { args: [this.path] }).outputSync();
    if (!success) throw new Error(`Cannot make a FIFO at ${this.path}`);
    // With a writer of its own, the FIFO does not end when a child closes it.
    this.#reading = this.#read(Deno.openSync(this.path, { read: true, write: true }));
  }

  /** Resolves with the next birth of that name; ask before the cause. */
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
