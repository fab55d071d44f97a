import { isGranted } from "../permission.ts";
import { countDescriptors, readDescriptorLimit } from "./proc.ts";

/** So many are kept free for this program's own work: to read its directories, to note who runs, to rotate a log file. */
const RESERVE = 20;

/** So many a child takes: its three streams, its end, and its log file. */
const PER_CHILD = 5;

/** After so many starts it is counted again, for others take descriptors too. */
const MAX_STARTS = 200;

/** So many are tried where it cannot be counted. */
const MAX_TRIED = RESERVE + 40 * PER_CHILD;

/** Keeps file descriptors free: who has none left can neither read a config nor a message, and nothing mends that. */
export class Descriptors {
  /** For so many children there is room beside the reserve. */
  #starts = 0;

  /** Takes those of one more child. @throws {Error} Where too few would be left. */
  takeForChild(): void {
    if (this.#starts <= 0) this.#starts = Math.min(Math.floor((countFree() - RESERVE) / PER_CHILD), MAX_STARTS);
    if (this.#starts <= 0) throw new Error("too many open files");
    this.#starts--;
  }
}

/** How many this program may still open, at least. */
function countFree(): number {
  try {
    return readDescriptorLimit() - countDescriptors();
  } catch {
    // Without --allow-all Deno lets nobody read /proc.
    return tryToOpen();
  }
}

function tryToOpen(): number {
  // To ask Deno for it could ask a person at the terminal.
  if (!isGranted({ name: "read", path: "/dev/null" })) return Infinity;
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < MAX_TRIED) files.push(Deno.openSync("/dev/null"));
  } catch {
    // As many as are open now.
  } finally {
    for (const file of files) file.close();
  }
  return files.length;
}
