import type { FileStamp } from "../types.ts";
import type { FileFacts } from "./open.ts";

/** A file that changed longer ago than this, in milliseconds, gets other times when it changes again, however coarse they are. */
export const RACY_MS = 2000;

/** What a look at a file tells. */
export function stampOf({ ino, size, mtime, ctime, uid, mode }: FileFacts): FileStamp {
  const mtimeMs = mtime?.getTime() ?? 0;
  const ctimeMs = ctime?.getTime() ?? 0;
  // As one text they would be ten thousand new texts at each look at a large directory.
  return { marks: [ino ?? 0, size, mtimeMs, ctimeMs, uid ?? 0, mode ?? 0], changedMs: changedMs(ctimeMs, mtimeMs) };
}

/** What a look tells of a name that cannot be looked at. */
export function faultStamp(fault: string): FileStamp {
  return { marks: [fault], changedMs: 0 };
}

/** Whether two looks found the same; null where there was nothing. */
export function isSameStamp(a: FileStamp | null, b: FileStamp | null): boolean {
  if (a === null || b === null) return a === b;
  return a.marks.length === b.marks.length && a.marks.every((mark, index) => mark === b.marks[index]);
}

/** Whether two looks found the same file, though it may have changed between them. */
export function isSameFile(a: FileStamp | null, b: FileStamp | null): boolean {
  return a?.marks[0] === b?.marks[0];
}

/** The last change: by ctime, which nobody can set, within the second by mtime. */
function changedMs(ctimeMs: number, mtimeMs: number): number {
  // Deno gives ctime in whole seconds, and 0 where the system has none.
  return mtimeMs > ctimeMs && (mtimeMs < ctimeMs + 1000 || ctimeMs === 0) ? mtimeMs : ctimeMs;
}
