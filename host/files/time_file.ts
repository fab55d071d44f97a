import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { faultOf } from "../deno_errors.ts";
import { KnownFaults } from "../known_faults.ts";
import { readSmallFile } from "./open.ts";
import { postFile } from "./post.ts";

/** A time is shorter than this. */
const MAX_BYTES = 100;

/** A file that holds one time, in ISO 8601. */
export class TimeFile {
  readonly #path: string;
  readonly #onFault: (fault: string) => void;
  readonly #knownFaults = new KnownFaults();

  /** Creates a time file. `onFault` gets the fault of each failed `read()`, and each new fault of `write()`. */
  constructor(path: string, onFault: (fault: string) => void) {
    this.#path = path;
    this.#onFault = onFault;
  }

  /** Returns the time, in milliseconds since 1970. Null if there is none, or if it cannot be read. */
  read(): number | null {
    try {
      const text = readSmallFile(this.#path, MAX_BYTES);
      if (text === null) return null;
      const time = Date.parse(text.trim());
      if (!Number.isNaN(time)) return time;
      this.#onFault("contains no valid time: assuming that no run was missed");
    } catch (error) {
      this.#onFault(`cannot be read: ${faultOf(error)}; assuming that no run was missed`);
    }
    return null;
  }

  /** Replaces the time. */
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
