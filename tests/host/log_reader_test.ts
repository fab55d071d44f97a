import { assertEquals } from "@std/assert";
import { LogReader } from "../../host/output/log_reader.ts";
import { Random } from "../core/random.ts";
import { tempDir } from "../helpers.ts";

/** Writes numbered lines to a log, in pieces, and renames its files step by step, as the monitor does. */
class Writing {
  readonly #path: string;
  readonly #keep: number;
  readonly #maxSize: number;
  #steps: (() => void)[] = [];
  #size = 0;
  written = 0;
  isMidLine = false;

  constructor(path: string, keep: number, maxSize: number) {
    this.#path = path;
    this.#keep = keep;
    this.#maxSize = maxSize;
  }

  /** Does one step: renames a file, or writes a piece. */
  step(isPiece: boolean): void {
    const step = this.#steps.shift();
    if (step !== undefined) return step();
    if (this.#size > this.#maxSize && !this.isMidLine) return this.#rotate();
    const text = this.isMidLine ? "\n" : `line ${this.written++}${isPiece ? "" : "\n"}`;
    this.isMidLine = !text.endsWith("\n");
    Deno.writeTextFileSync(this.#path, text, { append: true });
    this.#size += text.length;
  }

  #rotate(): void {
    this.#size = 0;
    const numbered = (number: number) => number === 0 ? this.#path : `${this.#path}.${number}`;
    for (let number = this.#keep - 1; number >= 0; number--) {
      this.#steps.push(() => {
        try {
          Deno.renameSync(numbered(number), numbered(number + 1));
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      });
    }
  }
}

const text = (lines: Iterable<Uint8Array>) => [...lines].map((line) => new TextDecoder().decode(line));

Deno.test("LogReader reads each line once, whenever the files of a log are renamed", () => {
  for (let seed = 1; seed <= 40; seed++) {
    using dir = tempDir();
    const path = dir.file("web.log");
    const random = new Random(seed);
    const writing = new Writing(path, 60, 300);
    const before = random.below(400);
    for (let at = 0; at < before; at++) writing.step(random.chance(0.2));
    const reader = new LogReader(path);
    const seen = text(reader.backward()).reverse();
    for (let at = 0; at < 1500; at++) {
      writing.step(random.chance(0.2));
      if (random.chance(0.3)) seen.push(...text(reader.more()));
    }
    // Ends a rotation, and then a line.
    for (let at = 0; at < 200; at++) writing.step(false);
    while (writing.isMidLine) writing.step(false);
    seen.push(...text(reader.more()), ...text(reader.unended()));
    reader.close();
    assertEquals(seen, Array.from({ length: writing.written }, (_, number) => `line ${number}`), `seed ${seed}`);
  }
});

Deno.test("LogReader reads each line once, also if files are renamed while it looks for one", () => {
  const { lstatSync } = Deno;
  using _ = { [Symbol.dispose]: () => Deno.lstatSync = lstatSync };
  for (let seed = 1; seed <= 20; seed++) {
    using dir = tempDir();
    const random = new Random(seed);
    const writing = new Writing(dir.file("web.log"), 20, 20);
    const reader = new LogReader(dir.file("web.log"));
    Deno.lstatSync = (path) => {
      if (random.chance(0.2)) writing.step(false);
      return lstatSync(path);
    };
    const seen: string[] = [];
    for (let at = 0; at < 30; at++) {
      // The reader falls back by some files.
      for (let steps = random.below(100); steps > 0; steps--) writing.step(false);
      seen.push(...text(reader.more()));
    }
    Deno.lstatSync = lstatSync;
    for (let at = 0; at < 200; at++) writing.step(false);
    seen.push(...text(reader.more()));
    reader.close();
    assertEquals(seen, Array.from({ length: writing.written }, (_, number) => `line ${number}`), `seed ${seed}`);
  }
});

Deno.test("LogReader reads nothing again when the newest file is missing, or gone", () => {
  using dir = tempDir();
  const path = dir.file("web.log");
  Deno.writeTextFileSync(`${path}.2`, "a\n");
  Deno.writeTextFileSync(`${path}.1`, "b\n");
  const reader = new LogReader(path);
  assertEquals([text(reader.backward()), text(reader.more())], [["b", "a"], []]);
  Deno.writeTextFileSync(path, "c\n");
  assertEquals(text(reader.more()), ["c"]);
  // Without old files to keep, the file is removed instead of renamed.
  for (const line of ["d", "e"]) {
    Deno.removeSync(path);
    Deno.writeTextFileSync(path, `${line}\n`);
    assertEquals(text(reader.more()), [line]);
  }
  reader.close();
});

Deno.test("LogReader reads backward in order although the files are renamed meanwhile", () => {
  using dir = tempDir();
  const path = dir.file("web.log");
  Deno.writeTextFileSync(`${path}.1`, "a1\na2\n");
  Deno.writeTextFileSync(path, "b1\nb2\n");
  const rotate = (text: string) => {
    for (let number = 8; number >= 0; number--) {
      const from = number === 0 ? path : `${path}.${number}`;
      try {
        Deno.renameSync(from, `${path}.${number + 1}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    Deno.writeTextFileSync(path, text);
  };
  const reader = new LogReader(path);
  const lines = reader.backward();
  const seen = [lines.next().value!];
  for (const text of ["c1\n", "d1\n"]) rotate(text);
  seen.push(...lines);
  assertEquals([text(seen), text(reader.more())], [["b2", "b1", "a2", "a1"], ["c1", "d1"]]);
  reader.close();
});

Deno.test("LogReader reads long lines, empty lines and bytes that are no text, and what has not ended at its end", () => {
  using dir = tempDir();
  const path = dir.file("web.log");
  const long = "x".repeat(200_000);
  Deno.writeTextFileSync(`${path}.1`, `first\n\n${long}\n`);
  Deno.writeFileSync(path, Uint8Array.of(0xff, 0x0a, 0x0a, 0x61));
  const reader = new LogReader(path);
  const lines = [...reader.backward()].reverse();
  assertEquals(text(lines.slice(0, 3)), ["first", "", long]);
  assertEquals(lines.slice(3).map((line) => [...line]), [[0xff], []]);
  assertEquals([text(reader.more()), text(reader.unended()), text(reader.unended())], [[], ["a"], []]);
  // Another program truncates it.
  Deno.writeTextFileSync(path, "b\n");
  assertEquals(text(reader.more()), ["b"]);
  reader.close();
  // A line that had not ended is not joined with what comes after a truncation.
  Deno.writeTextFileSync(path, "half");
  const cut = new LogReader(path);
  text(cut.backward());
  assertEquals(text(cut.more()), []);
  Deno.writeTextFileSync(path, "n\n");
  assertEquals(text(cut.more()), ["half", "n"]);
  cut.close();
  assertEquals(text(new LogReader(dir.file("none.log")).backward()), []);
});
