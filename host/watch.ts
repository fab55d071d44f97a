import { isIgnored } from "@ncolony/core";
import { basename, dirname } from "@std/path";
import type { Watch, WatchSink } from "./types.ts";

/**
 * Watches directories (inotify on Linux), not what is below them.
 *
 * What Deno does: a queue that overflows gives one event with `flag: "rescan"`; a directory that is removed and made
 * again is silent for ever; targets of links are not seen; some file systems tell nothing at all. So this is only ever a
 * reason to look, and never the only one.
 *
 * @param paths Absolute paths of directories.
 * @throws {Error} Where the operating system has no watch to give.
 */
export function watchDirectories(paths: readonly string[], sink: WatchSink): Watch {
  const watcher = Deno.watchFs([...paths], { recursive: false });
  let closed = false;
  const listen = async () => {
    for await (const event of watcher) tell(event, paths, sink);
  };
  listen().then(
    () => closed || sink.failed("it ended"),
    (error) => closed || sink.failed(String(error)),
  );
  return {
    close: () => {
      if (closed) return;
      closed = true;
      watcher.close();
    },
  };
}

function tell(event: Deno.FsEvent, directories: readonly string[], sink: WatchSink): void {
  if (event.flag === "rescan" || event.paths.some((path) => directories.includes(path))) return sink.rescan();
  const [from, to] = event.paths;
  // Only of a name that was ignored is it known that nobody is still writing to it.
  const complete = event.kind === "rename" && to !== undefined && dirname(from) === dirname(to) &&
    isIgnored(basename(from));
  for (const path of event.paths) {
    const name = basename(path);
    // The links in a ConfigMap all lead through `..data`, which is replaced by a rename.
    if (name.startsWith("..")) sink.rescan();
    else if (!isIgnored(name)) sink.touched(dirname(path), name, complete && path === to);
  }
}
