import { assertEquals } from "@std/assert";
import { descendants } from "../../reaper/descendants.ts";

/** The children of each process, at one reading. */
type Tree = Readonly<Record<number, readonly number[]>>;

/** Returns what descendants() finds as process 10 if each reading finds the next tree, and the last ones that one. */
function found(...trees: readonly Tree[]): { pids: number[]; reads: number } {
  let reads = 0;
  const treeNow = () => trees[Math.min(reads, trees.length) - 1]!;
  const pids = descendants({
    getpid: () => 10,
    readDirectory: (path) => {
      const pid = /\d+/.exec(path)![0];
      if (pid === "10") reads++;
      return [".", "..", pid];
    },
    readFile: (path) =>
      path === "/proc/self/stat" ? "10 (deno) S" : treeNow()[Number(/\d+/.exec(path))]?.join(" ") ?? "",
  });
  return { pids, reads };
}

Deno.test("descendants() lists a whole tree, parents first", () => {
  assertEquals(found({ 10: [11, 12], 11: [13], 13: [14] }).pids, [11, 13, 14, 12]);
});

Deno.test("descendants() finds a process that is forked or loses its parent while it reads", () => {
  assertEquals(found({ 10: [11], 11: [] }, { 10: [11], 11: [12] }).pids, [11, 12]);
  // The parent of 13 exits after the children of 10 were read, and before those of 12.
  assertEquals(found({ 10: [11, 12] }, { 10: [11, 13] }).pids, [11, 13]);
});

Deno.test("descendants() comes to an end, whatever is forked", () => {
  const { pids, reads } = found(...Array.from({ length: 1000 }, (_, at) => ({ 10: [100 + at] })));
  assertEquals([pids, reads], [[109], 10]);
});

Deno.test("descendants() takes no process from a /proc of another PID namespace, or without /proc", () => {
  for (const stat of ["1234 (deno) S", null]) {
    const libc = { getpid: () => 10, readFile: () => stat, readDirectory: () => ["11"] };
    assertEquals(descendants(libc), []);
  }
});
