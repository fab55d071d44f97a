import { isGranted } from "../permission.ts";
import { countDescriptors, readDescriptorLimit } from "../scopes/proc.ts";

/** How many are kept free for this program's own work: to read directories, record children and rotate log files. */
const RESERVE = 20;

/** How many a child takes: three streams, its exit and its log file. */
const PER_CHILD = 5;

/** The most starts until free descriptors are counted again, because other code takes some too. */
const MAX_STARTS = 200;

/** The most that are opened to find out how many are free, if they cannot be counted. */
const MAX_TRIED = RESERVE + 40 * PER_CHILD;

/** Keeps file descriptors free. Without any, a program can read neither configs nor messages, and cannot recover. */
export class Descriptors {
  /** How many more children may be started without touching the reserve. */
  #starts = 0;

  /** Takes the descriptors of one more child. @throws {Error} If too few would be left. */
  takeForChild(): void {
    if (this.#starts <= 0) this.#starts = Math.min(Math.floor((countFree() - RESERVE) / PER_CHILD), MAX_STARTS);
    if (this.#starts <= 0) throw new Error("too many open files");
    this.#starts--;
  }
}

/** Returns how many more files this program may open. Infinity if that cannot be seen. */
function countFree(): number {
  try {
    return readDescriptorLimit() - countDescriptors();
  } catch {
    // Deno allows reading /proc only with --allow-all.
    return tryToOpen();
  }
}

function tryToOpen(): number {
  // Without the permission, Deno may prompt for it at the terminal.
  if (!isGranted({ name: "read", path: "/dev/null" })) return Infinity;
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < MAX_TRIED) files.push(Deno.openSync("/dev/null"));
  } catch {
    // No more can be opened.
  } finally {
    for (const file of files) file.close();
  }
  return files.length;
}
