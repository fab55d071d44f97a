import type { FileStamp } from "../types.ts";
import type { FileFacts } from "./open.ts";

/**
 * A file that has not changed for this long gets new times when it changes again, however coarse they are. In
 * milliseconds.
 */
export const RACY_MS = 2000;

/** Returns the stamp of a file. */
export function stampOf({ ino, size, mtime, ctime, uid, mode }: FileFacts): FileStamp {
  const mtimeMs = mtime?.getTime() ?? 0;
  const ctimeMs = ctime?.getTime() ?? 0;
  // An array and not a string: that would be ten thousand new strings in each scan of a large directory.
  return { marks: [ino ?? 0, size, mtimeMs, ctimeMs, uid ?? 0, mode ?? 0], changedMs: changedMs(ctimeMs, mtimeMs) };
}

/** Returns the stamp of a name that cannot be seen. */
export function faultStamp(fault: string): FileStamp {
  return { marks: [fault], changedMs: 0 };
}

/** Whether two stamps are the same. Null stands for no file. */
export function isSameStamp(a: FileStamp | null, b: FileStamp | null): boolean {
  if (a === null || b === null) return a === b;
  return a.marks.length === b.marks.length && a.marks.every((mark, index) => mark === b.marks[index]);
}

/** Whether two stamps are of the same file, although it may have changed in between. */
export function isSameFile(a: FileStamp | null, b: FileStamp | null): boolean {
  return a?.marks[0] === b?.marks[0];
}

/** The time of the last change: ctime, which no user can set, refined by mtime within the same second. */
function changedMs(ctimeMs: number, mtimeMs: number): number {
  // Deno's ctime has whole seconds, and is 0 if the system has none.
  return mtimeMs > ctimeMs && (mtimeMs < ctimeMs + 1000 || ctimeMs === 0) ? mtimeMs : ctimeMs;
}
