import { isIgnored } from "@ncolony/core";
import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { denoClock } from "./clock.ts";
import type { Watch, WatchSink } from "./types.ts";

/** How long a watch has to tell of a file that was made for it to tell of. */
const PROBE_MS = 1000;

/**
 * After so many events everything is looked at: Deno says nothing when the kernel's queue overflows, but then a full one
 * (16,384 events, if nobody changed `fs.inotify.max_queued_events`) is still to be heard.
 */
const EVENTS_PER_RESCAN = 4096;

/** Whether Deno's one thread for watches hangs: then a watch that is made or closed would hang with it. */
let isStuck = false;

/**
 * Watches directories (inotify on Linux), not what is below them.
 *
 * What Deno does: when its own queue overflows it gives one event with `flag: "rescan"`, when the kernel's does, nothing;
 * a directory that is removed and made
 * again is silent for ever; targets of links are not seen; some file systems tell nothing at all; and a FIFO makes it hang
 * (see `fifos.ts`) for good if it is gone before it could be held open. So this is only ever a reason to look, and never
 * the only one; and a watch that does not answer is left alone.
 *
 * @param paths Absolute paths of directories. To see whether the watch answers, a file is made in one of them, the
 * last one first, and removed at once.
 * @throws {Error} Where the operating system has no watch to give, or Deno's hang.
 */
export function watchDirectories(paths: readonly string[], sink: WatchSink): Watch {
  if (isStuck) throw new Error("Deno's watches hang, because there was a named pipe in a watched directory");
  const watcher = Deno.watchFs([...paths], { recursive: false });
  const watched = paths.map((path) => ({ path, id: idOf(path) }));
  const probe = `.${crypto.randomUUID()}.new`;
  const answer = Promise.withResolvers<boolean>();
  let closed = false;
  const listen = async () => {
    const events = watcher[Symbol.asyncIterator]();
    let heard = 0;
    for (let next = await nextOf(events); !next.done; next = await nextOf(events)) {
      const event = next.value;
      if (event !== null && basename(event.paths[0] ?? "") === probe) answer.resolve(true);
      else if (closed) continue;
      else if (event === null || ++heard % EVENTS_PER_RESCAN === 0) sink.rescan();
      else tell(event, paths, sink);
    }
  };
  listen().then(
    () => closed || sink.failed("it ended"),
    (error) => closed || sink.failed(String(error)),
  );
  return {
    close: async () => {
      if (closed) return;
      closed = true;
      // Of a directory that another one took the place of, nothing more is told.
      const present = watched.filter(({ path, id }) => id !== null && idOf(path) === id);
      const isAsked = present.reverse().some(({ path }) => touch(join(path, probe)));
      const cancel = denoClock.after(isAsked ? PROBE_MS : 0, () => answer.resolve(!isAsked));
      isStuck = !await answer.promise;
      cancel();
      if (!isStuck) watcher.close();
    },
  };
}

/** The next event, or null for one that names what is not UTF-8, which Deno throws at; it tells those after it all the same. */
async function nextOf(events: AsyncIterator<Deno.FsEvent>): Promise<IteratorResult<Deno.FsEvent | null>> {
  try {
    return await events.next();
  } catch (error) {
    if (error instanceof TypeError && error.message.includes("UTF-8")) return { done: false, value: null };
    throw error;
  }
}

function idOf(path: string): string | null {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch {
    // It is not there.
    return null;
  }
}

/** Makes a file and removes it; false where that cannot be done. */
function touch(path: string): boolean {
  try {
    Deno.openSync(path, { write: true, createNew: true }).close();
    Deno.removeSync(path);
    return true;
  } catch {
    // The directory is gone, or read-only.
    return false;
  }
}

function tell(event: Deno.FsEvent, directories: readonly string[], sink: WatchSink): void {
  // A file was closed that had been opened for writing, as this program opens messages. If it was written, that was told.
  if (event.kind === "access") return;
  if (event.flag === "rescan" || event.paths.some((path) => directories.includes(path))) return sink.rescan();
  const [from, to] = event.paths;
  // Only of a name that was ignored is it known that nobody is still writing to it.
  const isComplete = event.kind === "rename" && to !== undefined && dirname(from) === dirname(to) &&
    isIgnored(basename(from));
  const otherwise = event.kind === "remove" ? "gone" : "changed";
  for (const path of event.paths) {
    const name = basename(path);
    // The links in a ConfigMap all lead through `..data`, which is replaced by a rename.
    if (name.startsWith("..")) sink.rescan();
    else if (!isIgnored(name)) sink.touched(dirname(path), name, isComplete && path === to ? "renamed" : otherwise);
  }
}
