import { assertEquals } from "@std/assert";
import { isSameStamp } from "@ncolony/host";
import { faultStamp, stampOf } from "../../host/files/file_stamp.ts";

const FACTS = {
  dev: 1,
  ino: 7,
  size: 1,
  mtime: new Date(1_700_000_000_250),
  ctime: new Date(1_700_000_000_000),
  uid: 0,
  mode: 0o100644,
};

Deno.test("isSameStamp() distinguishes files by inode, size, times, owner and mode, each alone", () => {
  const before = stampOf(FACTS);
  assertEquals(isSameStamp(before, stampOf({ ...FACTS })), true);
  const later = new Date(1_700_000_001_000);
  for (const change of [{ ino: 8 }, { size: 2 }, { mtime: later }, { ctime: later }, { uid: 1 }, { mode: 0o100600 }]) {
    assertEquals(isSameStamp(before, stampOf({ ...FACTS, ...change })), false, `${Object.keys(change)}`);
  }
});

Deno.test("isSameStamp() distinguishes a file, two faults, fewer marks and null", () => {
  const less = { marks: [FACTS.ino], changedMs: 0 };
  const sights = [stampOf(FACTS), faultStamp("denied"), faultStamp("a circle"), less, null];
  for (const [index, stamp] of sights.entries()) {
    assertEquals(sights.map((other) => isSameStamp(stamp, other)), sights.map((_, other) => other === index));
  }
});

Deno.test("stampOf() takes the last change from ctime, which cannot be set, and within its second from mtime", () => {
  const changedMs = (mtimeMs: number | null, ctimeMs: number | null) => {
    const date = (ms: number | null) => ms === null ? null : new Date(ms);
    return stampOf({ ...FACTS, mtime: date(mtimeMs), ctime: date(ctimeMs) }).changedMs;
  };
  assertEquals(changedMs(5250, 5000), 5250, "the same second");
  assertEquals(changedMs(4999, 5000), 5000, "set back, or another name given");
  assertEquals(changedMs(6000, 5000), 5000, "set to the future");
  assertEquals(changedMs(5250, null), 5250, "a system without ctime");
});
