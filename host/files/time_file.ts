import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { faultOf } from "../deno_errors.ts";
import { KnownFaults } from "../known_faults.ts";
import { readSmallFile } from "./open.ts";
import { postFile } from "./post.ts";

/** A time takes less. */
const MAX_BYTES = 100;

/** A file that holds one time, in ISO 8601. */
export class TimeFile {
  readonly #path: string;
  readonly #onFault: (fault: string) => void;
  readonly #knownFaults = new KnownFaults();

  /** Makes one; `onFault` takes what cannot be read or written, each once until it works again. */
  constructor(path: string, onFault: (fault: string) => void) {
    this.#path = path;
    this.#onFault = onFault;
  }

  /** The time, in milliseconds since 1970; null where there is none yet, or none that can be read. */
  read(): number | null {
    try {
      const text = readSmallFile(this.#path, MAX_BYTES);
      if (text === null) return null;
      const time = Date.parse(text.trim());
      if (!Number.isNaN(time)) return time;
      this.#onFault("holds no time, so nothing is known of before");
    } catch (error) {
      this.#onFault(`cannot be read, so nothing is known of before: ${faultOf(error)}`);
    }
    return null;
  }

  /** Puts a time in its place. */
  write(time: number): void {
    let fault: string | null = null;
    try {
      postFile(dirname(this.#path), basename(this.#path), `${new Date(time).toISOString()}\n`);
    } catch (error) {
      fault = faultOf(error);
    }
    if (this.#knownFaults.note("write", fault) && fault !== null) this.#onFault(`cannot be written: ${fault}`);
  }
}
