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
const PATIENCE_MS = 1000;

/** How often a watch is asked before it is closed, as long as it tells of other events but does not answer. */
const MAX_QUESTIONS = 3;

/**
 * After so many events everything is looked at: Deno says nothing when the kernel's queue overflows, but then a full one
 * (16,384 events, if nobody changed `fs.inotify.max_queued_events`) is still to be heard.
 */
const EVENTS_PER_RESCAN = 4096;

/**
 * Those of the watch that was closed last. To let go of a FIFO is an event, at which Deno's thread would open it if it has not
 * closed the watch yet, and wait for ever: then this program could not end.
 */
let retired: Fifos | null = null;

/** Whether Deno's one thread for watches hangs: then a watch that is made or closed would hang with it. */
let isStuck = false;

/**
 * Watches directories (inotify on Linux), not what is below them.
 *
 * What Deno does: when its own queue overflows it gives one event with `flag: "rescan"`, when the kernel's does, nothing;
 * a directory that is removed and made again is silent for ever; targets of links are not seen; some file systems tell
 * nothing at all. And it opens whatever an event names, with all that this program may, and waits for ever at a FIFO (see
 * `fifos.ts`). So a directory that others may write is not to be watched; a watch is only ever a reason to look, and never
 * the only one; and one that does not answer is left alone.
 *
 * @param paths Absolute paths of directories.
 * @param probe A file that nobody else may write: the watch answers when that is opened. Without one it is only asked when
 * it is closed, by a file that is made in one of the directories, the last one first, and removed at once.
 * @throws {Error} Where the operating system has no watch to give, or Deno's hang.
 */
export function watchDirectories(
  paths: readonly string[],
  listener: WatchListener,
  probe: string | null = null,
): Watch {
  if (isStuck) throw new Error("Deno's watches hang, since a named pipe was in a watched directory");
  return new DenoWatch(paths, listener, probe);
}

class DenoWatch implements Watch {
  readonly #paths: readonly string[];
  readonly #listener: WatchListener;
  readonly #probe: string | null;
  /** The name of the file that is made where there is no probe. */
  readonly #made = basename(freshPath("/"));
  readonly #fifos: Fifos;
  readonly #watcher: Deno.FsWatcher;
  /** Which directories stood at the paths. */
  readonly #ids: readonly (string | null)[];
  /** Since when an answer is waited for, in the clock's milliseconds; null: none is. */
  #askedAt: number | null = null;
  /** Whether it told anything since it was asked. When much happens Deno drops events, and the answer may be one of them. */
  #hasTold = false;
  #answered = Promise.withResolvers<void>();
  #isClosed = false;
  /** Whether it was closed when it hung. */
  #isLeftAlone = false;
  /** Whether it was asked since then. */
  #isAskedAgain = false;

  constructor(paths: readonly string[], listener: WatchListener, probe: string | null) {
    this.#paths = paths;
    this.#listener = listener;
    this.#probe = probe;
    this.#fifos = new Fifos(paths);
    // Before it is made, so that it meets none that is not held.
    this.#fifos.hold();
    const isApart = probe !== null && !paths.includes(dirname(probe));
    this.#watcher = Deno.watchFs(isApart ? [...paths, probe] : [...paths], { recursive: false });
    this.#ids = paths.map(idOf);
    this.#listen().then(
      () => this.#isClosed || listener.failed("it ended"),
      (error) => this.#isClosed || listener.failed(describeError(error)),
    );
  }

  holdFifos(): void {
    this.#fifos.hold();
  }

  check(): boolean {
    // A watch that hangs at one that came since goes on.
    this.#fifos.hold();
    if (this.#probe === null) return !isStuck;
    const isLate = this.#askedAt !== null && denoClock.now() > this.#askedAt + PATIENCE_MS;
    if (isLate && !this.#hasTold) isStuck = true;
    else if (isLate || this.#askedAt === null) this.#ask();
    return !isStuck;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fifos.hold();
    if (this.#askedAt === null) this.#ask();
    for (let asked = 1; !isStuck && asked <= MAX_QUESTIONS && await this.#isLate(); asked++) {
      if (this.#hasTold) this.#ask();
      else isStuck = true;
    }
    if (!isStuck) this.#watcher.close();
    this.#isLeftAlone = isStuck;
    retired?.close();
    retired = this.#fifos;
  }

  /** Asks it, if that is possible. */
  #ask(): void {
    this.#hasTold = false;
    this.#askedAt = this.#touch() ? denoClock.now() : null;
  }

  /** Waits for its answer; true where none comes in time. */
  async #isLate(): Promise<boolean> {
    if (this.#askedAt === null) return false;
    const late = Promise.withResolvers<void>();
    const cancel = denoClock.after(PATIENCE_MS, late.resolve);
    await Promise.race([this.#answered.promise, late.promise]);
    cancel();
    // Where this program itself had no time, what was told meanwhile is still to be heard.
    if (this.#askedAt !== null) await denoClock.yield();
    return this.#askedAt !== null;
  }

  /** Causes an event that it must tell of; false if that is not possible. */
  #touch(): boolean {
    if (this.#probe !== null && open(this.#probe)) return true;
    // Of a directory that another one took the place of, nothing more is told.
    const present = this.#paths.filter((path, index) => this.#ids[index] !== null && idOf(path) === this.#ids[index]);
    return present.reverse().some((path) => succeeds(() => probe(join(path, this.#made))));
  }

  async #listen(): Promise<void> {
    const events = this.#watcher[Symbol.asyncIterator]();
    let heard = 0;
    for (let next = await nextOf(events); !next.done; next = await nextOf(events)) {
      const event = next.value;
      this.#hasTold = true;
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
      // This may have been told before it hung, and was not read in time.
      this.#isAskedAgain = true;
      return this.#ask();
    }
    isStuck = false;
    this.#answered.resolve();
    this.#answered = Promise.withResolvers();
    if (this.#isLeftAlone) this.#watcher.close();
  }
}

/** The next event, or null for one that names what is not UTF-8, which Deno throws at; it tells those after it all the same. */
async function nextOf(events: AsyncIterator<Deno.FsEvent>): Promise<IteratorResult<Deno.FsEvent | null>> {
  try {
    return await events.next();
  } catch (error) {
    if (isNotUtf8(error)) return { done: false, value: null };
    throw error;
  }
}

/** Opens a file for writing, and writes nothing; false where that cannot be done. */
function open(path: string): boolean {
  return succeeds(() => Deno.openSync(path, { write: true }).close());
}

function succeeds(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    // The directory is gone, or read-only.
    return false;
  }
}

function dispatch(event: Deno.FsEvent, directories: readonly string[], listener: WatchListener): void {
  // A file was closed that had been opened for writing, as this program opens messages. If it was written, that was told.
  if (event.kind === "access") return;
  if (event.flag === "rescan") return listener.rescan(null);
  const itself = event.paths.find((path) => directories.includes(path));
  if (itself !== undefined) return listener.rescan(itself);
  const [from, to] = event.paths;
  // Only of a name that was ignored is it known that nobody is still writing to it.
  const isComplete = event.kind === "rename" && to !== undefined && dirname(from) === dirname(to) &&
    isIgnored(basename(from));
  const otherwise = event.kind === "remove" ? "gone" : "changed";
  for (const path of event.paths) {
    const name = basename(path);
    // The links in a ConfigMap all lead through `..data`, which is replaced by a rename.
    if (name.startsWith("..")) listener.rescan(dirname(path));
    else if (!isIgnored(name)) listener.touched(dirname(path), name, isComplete && path === to ? "renamed" : otherwise);
  }
}
