import { isIgnored } from "@ncolony/core";
import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { denoClock } from "../clock.ts";
import { describeError, isNotUtf8 } from "../deno_errors.ts";
import type { Watch, WatchListener } from "../types.ts";
import { Fifos } from "./fifos.ts";
import { freshPath, probe } from "./fresh.ts";
import { idOf } from "./lstat.ts";

/** How long a watch has to answer, in milliseconds. */
const TIMEOUT_MS = 1000;

/** How often a watch is asked before it is closed, if it reports other events but no answer. */
const MAX_QUESTIONS = 3;

/**
 * The number of events after which everything is scanned. Deno does not report that the kernel's queue overflowed, but
 * the events of a full queue are still to come (16,384, if `fs.inotify.max_queued_events` was not changed).
 */
const EVENTS_PER_RESCAN = 4096;

/**
 * The FIFOs of the watch that was closed last. Closing a FIFO is an event: if Deno's thread has not closed the watch
 * yet, it would open the FIFO and hang, and this program could not exit.
 */
let retired: Fifos | null = null;

/** Whether Deno's only thread for watches hangs. Creating or closing a watch would hang too. */
let isStuck = false;

/**
 * Watches directories (inotify on Linux), but not their subdirectories.
 *
 * Deno reports an overflow of its own queue with a single event, `flag: "rescan"`, but not one of the kernel's queue. A
 * directory that is removed and created again is silent from then on. Targets of links are not watched, and some file
 * systems report nothing at all. Deno also opens whatever an event names, with all permissions of this program, and
 * hangs at a FIFO (see `fifos.ts`). So do not watch a directory that other users may write to. A watch is only ever a
 * reason to scan, and never the only one. A watch that does not answer is left alone.
 *
 * @param paths Absolute paths of directories.
 * @param probe A file that no other user may write to. Opening it makes the watch answer. Without it the watch is asked
 * only before it is closed, by creating and removing a file in one of the directories, the last one first.
 * @throws {Error} If the operating system cannot provide a watch, or if Deno's watches hang.
 */
export function watchDirectories(
  paths: readonly string[],
  listener: WatchListener,
  probe: string | null = null,
): Watch {
  if (isStuck) throw new Error("Deno's file watcher hangs, because a watched directory contained a named pipe");
  return new DenoWatch(paths, listener, probe);
}

class DenoWatch implements Watch {
  readonly #paths: readonly string[];
  readonly #listener: WatchListener;
  readonly #probe: string | null;
  /** The name of the file that is created if there is no probe. */
  readonly #made = basename(freshPath("/"));
  readonly #fifos: Fifos;
  readonly #watcher: Deno.FsWatcher;
  /** The directories that were at the paths at the start. */
  readonly #ids: readonly (string | null)[];
  /** Since when an answer is pending, in the clock's milliseconds. Null if none is. */
  #askedAt: number | null = null;
  /**
   * Whether any event came since the watch was asked. Deno drops events when there are many, and the answer may be one
   * of them.
   */
  #hasEvents = false;
  #answered = Promise.withResolvers<void>();
  #isClosed = false;
  /** Whether the watch hung when it was closed. */
  #isLeftAlone = false;
  /** Whether the watch was asked again since then. */
  #isAskedAgain = false;

  constructor(paths: readonly string[], listener: WatchListener, probe: string | null) {
    this.#paths = paths;
    this.#listener = listener;
    this.#probe = probe;
    this.#fifos = new Fifos(paths);
    // Before the watch exists, so that it finds no FIFO that is not held.
    this.#fifos.hold();
    const isApart = probe !== null && !paths.includes(dirname(probe));
    this.#watcher = Deno.watchFs(isApart ? [...paths, probe] : [...paths], { recursive: false });
    this.#ids = paths.map(idOf);
    this.#listen().then(
      () => this.#isClosed || listener.failed("the watch ended"),
      (error) => this.#isClosed || listener.failed(describeError(error)),
    );
  }

  holdFifos(): void {
    this.#fifos.hold();
  }

  check(): boolean {
    // A watch that hangs at a FIFO that has come since then continues.
    this.#fifos.hold();
    if (this.#probe === null) return !isStuck;
    const isLate = this.#askedAt !== null && denoClock.now() > this.#askedAt + TIMEOUT_MS;
    if (isLate && !this.#hasEvents) isStuck = true;
    else if (isLate || this.#askedAt === null) this.#ask();
    return !isStuck;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fifos.hold();
    if (this.#askedAt === null) this.#ask();
    for (let asked = 1; !isStuck && asked <= MAX_QUESTIONS && await this.#isLate(); asked++) {
      if (this.#hasEvents) this.#ask();
      else isStuck = true;
    }
    if (!isStuck) this.#watcher.close();
    this.#isLeftAlone = isStuck;
    retired?.close();
    retired = this.#fifos;
  }

  /** Asks the watch, if possible. */
  #ask(): void {
    this.#hasEvents = false;
    this.#askedAt = this.#touch() ? denoClock.now() : null;
  }

  /** Waits for the answer. Resolves with true if it does not come in time. */
  async #isLate(): Promise<boolean> {
    if (this.#askedAt === null) return false;
    const late = Promise.withResolvers<void>();
    const cancel = denoClock.after(TIMEOUT_MS, late.resolve);
    await Promise.race([this.#answered.promise, late.promise]);
    cancel();
    // If this program itself was delayed, let it read the events that came in between.
    if (this.#askedAt !== null) await denoClock.yield();
    return this.#askedAt !== null;
  }

  /** Causes an event that the watch must report. Returns false if that is not possible. */
  #touch(): boolean {
    if (this.#probe !== null && open(this.#probe)) return true;
    // A directory that was replaced reports nothing more.
    const present = this.#paths.filter((path, index) => this.#ids[index] !== null && idOf(path) === this.#ids[index]);
    return present.reverse().some((path) => succeeds(() => probe(join(path, this.#made))));
  }

  async #listen(): Promise<void> {
    const events = this.#watcher[Symbol.asyncIterator]();
    let heard = 0;
    for (let next = await nextOf(events); !next.done; next = await nextOf(events)) {
      const event = next.value;
      this.#hasEvents = true;
      if (event !== null && this.#isAnswer(event)) this.#hearAnswer();
      else if (this.#isClosed) continue;
      else if (event === null || ++heard % EVENTS_PER_RESCAN === 0) this.#listener.rescan(null);
      else dispatch(event, this.#paths, this.#listener);
    }
  }

  #isAnswer({ paths: [path] }: Deno.FsEvent): boolean {
    return path !== undefined && (path === this.#probe || basename(path) === this.#made);
  }

  #hearAnswer(): void {
    if (this.#askedAt === null) return;
    this.#askedAt = null;
    if (this.#isLeftAlone && !this.#isAskedAgain) {
      // This event may be from before the watch hung, and was read too late.
      this.#isAskedAgain = true;
      return this.#ask();
    }
    isStuck = false;
    this.#answered.resolve();
    this.#answered = Promise.withResolvers();
    if (this.#isLeftAlone) this.#watcher.close();
  }
}

/**
 * Returns the next event. Null for a name that is not UTF-8, for which Deno throws; the watch continues all the same.
 */
async function nextOf(events: AsyncIterator<Deno.FsEvent>): Promise<IteratorResult<Deno.FsEvent | null>> {
  try {
    return await events.next();
  } catch (error) {
    if (isNotUtf8(error)) return { done: false, value: null };
    throw error;
  }
}

/** Opens a file for writing, and writes nothing. Returns false if that fails. */
function open(path: string): boolean {
  return succeeds(() => Deno.openSync(path, { write: true }).close());
}

function succeeds(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    // The directory is gone or read-only.
    return false;
  }
}

function dispatch(event: Deno.FsEvent, directories: readonly string[], listener: WatchListener): void {
  // A file that was open for writing was closed. If it was written to, that has been reported.
  if (event.kind === "access") return;
  if (event.flag === "rescan") return listener.rescan(null);
  const itself = event.paths.find((path) => directories.includes(path));
  if (itself !== undefined) return listener.rescan(itself);
  const [from, to] = event.paths;
  // Only if the old name was ignored is it certain that no program still writes to the file.
  const isComplete = event.kind === "rename" && to !== undefined && dirname(from) === dirname(to) &&
    isIgnored(basename(from));
  const otherwise = event.kind === "remove" ? "gone" : "changed";
  for (const path of event.paths) {
    const name = basename(path);
    // All links in a ConfigMap lead through `..data`, which is replaced by a rename.
    if (name.startsWith("..")) listener.rescan(dirname(path));
    else if (!isIgnored(name)) listener.touched(dirname(path), name, isComplete && path === to ? "renamed" : otherwise);
  }
}
