import type { LogLimits } from "@ncolony/core";
import type { TrustOptions } from "@ncolony/host";
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { LogFile } from "../../host/output/log_file.ts";
import { OwnDirectory } from "../../host/files/own_directory.ts";
import { type TempDir, tempDir } from "../helpers.ts";
import { FakeClock } from "../monitor/fake_clock.ts";
import { replace } from "./fakes.ts";

const encoder = new TextEncoder();

/** A log file in its own directory, and its reports. */
class Kept implements Disposable {
  readonly dir: TempDir = tempDir();
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  /** The output that was diverted. */
  elsewhere = "";
  readonly path: string = this.dir.file("logs", "web.log");
  readonly file: LogFile;

  constructor(limits: Partial<LogLimits> = {}, trust: TrustOptions = {}) {
    const directory = new OwnDirectory(this.dir.file("logs"), trust, this.clock);
    this.file = new LogFile(this.path, { maxBytes: 20, keep: 2, ...limits }, directory, this.clock, {
      fault: (action, reason) => this.told.push(`cannot ${action}: ${reason}`),
      recovered: () => this.told.push("recovered"),
      instead: (bytes) => void (this.elsewhere += new TextDecoder().decode(bytes)),
    });
  }

  /** Writes all of a text, as a sink does. */
  async write(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    for (let written = 0; written < bytes.length;) written += await this.file.write(bytes.subarray(written));
  }

  /** Returns the text of the file, then of its predecessors. */
  contents(): string[] {
    const numbers = [...Deno.readDirSync(this.dir.file("logs"))].map(({ name }) => Number(name.split(".")[2] ?? 0));
    return numbers.sort((a, b) => a - b).map((number) => {
      return Deno.readTextFileSync(number === 0 ? this.path : `${this.path}.${number}`);
    });
  }

  [Symbol.dispose](): void {
    this.file.close();
    this.dir[Symbol.dispose]();
  }
}

Deno.test("LogFile makes its directory, and a file that only its owner and group may read", async () => {
  using kept = new Kept();
  await kept.write("one\n");
  assertEquals(kept.contents(), ["one\n"]);
  assertEquals((Deno.statSync(kept.path).mode ?? 0) & 0o037, 0);
});

Deno.test("LogFile appends to an existing file", async () => {
  using kept = new Kept();
  await kept.write("one\n");
  kept.file.close();
  await kept.write("two\n");
  assertEquals(kept.contents(), ["one\ntwo\n"]);
  kept.file.close();
  await kept.write("0123456789ab\n");
  assertEquals(kept.contents(), ["0123456789ab\n", "one\ntwo\n"]);
});

Deno.test("LogFile begins a new file before one becomes too large, and keeps the given number of old ones", async () => {
  using kept = new Kept();
  for (const digit of "12345678") await kept.write(`${digit.repeat(9)}\n`);
  assertEquals(kept.contents(), ["777777777\n888888888\n", "555555555\n666666666\n", "333333333\n444444444\n"]);
  using none = new Kept({ keep: 0 });
  for (const digit of "123") await none.write(`${digit.repeat(9)}\n`);
  assertEquals(none.contents(), ["333333333\n"]);
});

Deno.test("LogFile splits a large write between lines", async () => {
  using kept = new Kept({ keep: 9 });
  await kept.write("1234567\n1234567\n1234567\n12\n1234567\n");
  assertEquals(kept.contents(), ["1234567\n12\n1234567\n", "1234567\n1234567\n"]);
});

Deno.test("LogFile keeps a line that is longer than a file may be in one file, up to twice that size", async () => {
  using kept = new Kept({ keep: 9 });
  await kept.write(`a\n${"x".repeat(30)}`);
  await kept.write("y\nb\n");
  assertEquals(kept.contents(), ["b\n", `${"x".repeat(30)}y\n`, "a\n"]);
  using endless = new Kept({ keep: 3 });
  for (let count = 0; count < 20; count++) await endless.write("xxxxxxxxxx");
  assert(endless.contents().every(({ length }) => length <= 50));
});

Deno.test("LogFile loses and tears no line, however they come, as long as it keeps all of its files", async () => {
  const lines = fc.array(fc.nat(18).map((length) => "x".repeat(length)), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(lines, fc.array(fc.nat(4), { minLength: 1 }), async (lines, batches) => {
      using kept = new Kept({ keep: 200 });
      const numbered = lines.map((line, index) => `${line}${index % 10}\n`);
      for (let at = 0, batch = 0; at < numbered.length; batch++) {
        const count = 1 + batches[batch % batches.length]!;
        await kept.write(numbered.slice(at, at + count).join(""));
        at += count;
      }
      const files = kept.contents().toReversed();
      assertEquals(files.join(""), numbered.join(""));
      assert(files.every((text) => text.endsWith("\n") && text.length <= 20));
    }),
    { numRuns: 50 },
  );
});

Deno.test("LogFile waits if it cannot write, reports that once, and loses nothing", async () => {
  using kept = new Kept();
  Deno.removeSync(kept.dir.file("logs"));
  kept.dir.write("logs", "this is no directory");
  const writing = kept.write("one\n");
  for (let second = 0; second < 5; second++) {
    await kept.clock.settle();
    kept.clock.advance(1000);
  }
  assertEquals(kept.told.length, 1);
  Deno.removeSync(kept.dir.file("logs"));
  await kept.clock.settle();
  kept.clock.advance(1000);
  await writing;
  await kept.write("two\n");
  assertEquals([kept.contents(), kept.told.slice(1)], [["one\ntwo\n"], ["recovered"]]);
});

Deno.test("LogFile writes through no symlink, and waits for no reader of a FIFO", async () => {
  for (const plant of ["link", "pipe"] as const) {
    using kept = new Kept();
    const victim = kept.dir.write("victim", "");
    if (plant === "link") Deno.symlinkSync(victim, kept.path);
    else assertEquals((await new Deno.Command("mkfifo", { args: [kept.path] }).output()).code, 0);
    const writing = kept.write("secret\n");
    await kept.clock.settle();
    assertEquals(kept.told, ["cannot write to: not a regular file"]);
    assertEquals(Deno.readTextFileSync(victim), "");
    kept.file.abandon();
    kept.clock.advance(1000);
    await writing;
  }
});

Deno.test("LogFile diverts output that does not fit while it cannot rename a file, and reports that once", async () => {
  using kept = new Kept();
  await kept.write("0123456789abcdef\n");
  Deno.writeTextFileSync(`${kept.path}.1`, "old\n");
  Deno.mkdirSync(`${kept.path}.2`);
  for (let second = 0; second < 5; second++) {
    await kept.write(`${second}\n`.padStart(10, "0"));
    await kept.clock.advance(1000);
  }
  assertEquals(kept.told, [`cannot rotate: is a directory`]);
  assertEquals(kept.elsewhere, [0, 1, 2, 3, 4].map((second) => `${second}\n`.padStart(10, "0")).join(""));
  assertEquals(Deno.readTextFileSync(kept.path), "0123456789abcdef\n", "it grows no further");
  Deno.removeSync(`${kept.path}.2`);
  await kept.write("123456789\n");
  assertEquals(kept.told.slice(1), ["recovered"]);
  assertEquals(kept.contents(), ["123456789\n", "0123456789abcdef\n", "old\n"]);
});

Deno.test("LogFile loses no old file while it cannot rename the first one", async () => {
  using kept = new Kept({ keep: 4 });
  await kept.write("0123456789abcdef\n");
  Deno.writeTextFileSync(`${kept.path}.1`, "1\n");
  Deno.writeTextFileSync(`${kept.path}.2`, "2\n");
  const rename = Deno.renameSync;
  using _replaced = replace(Deno, "renameSync", (from, to) => {
    if (from === kept.path) throw new Error("not permitted");
    rename(from, to);
  });
  const writing = kept.write("123456789\n");
  for (let second = 0; second < 9; second++) await kept.clock.advance(1000);
  assertEquals([2, 3].map((number) => Deno.readTextFileSync(`${kept.path}.${number}`)), ["1\n", "2\n"]);
  kept.file.abandon();
  await kept.clock.advance(1000);
  await writing;
});

/** What other users may put in the place of a log file, in a directory that they may write to. */
const FOREIGN: Readonly<Record<string, (path: string, dir: TempDir) => void>> = {
  "a hard link to a file": (path, dir) => Deno.linkSync(dir.file("victim"), path),
  "a symlink": (path, dir) => Deno.symlinkSync(dir.file("victim"), path),
};

for (const [what, plant] of Object.entries(FOREIGN)) {
  for (const mode of [0o755, 0o777]) {
    Deno.test(`LogFile writes to no file that is ${what}, in a directory of mode ${mode.toString(8)}`, async () => {
      using kept = new Kept({}, { allowInsecure: true });
      const victim = kept.dir.write("victim", "");
      Deno.chmodSync(kept.dir.file("logs"), mode);
      plant(kept.path, kept.dir);
      const writing = kept.write("secret\n");
      await kept.clock.settle();
      assertEquals(kept.told.length, 1);
      assertEquals(Deno.readTextFileSync(victim), "");
      kept.file.abandon();
      await kept.clock.advance(1000);
      await writing;
    });
  }
}

Deno.test("LogFile writes in a directory that other users may write to if allowInsecure is set", async () => {
  using kept = new Kept({}, { allowInsecure: true });
  Deno.chmodSync(kept.dir.file("logs"), 0o777);
  for (const digit of "123") await kept.write(`${digit.repeat(9)}\n`);
  assertEquals([kept.contents(), kept.told], [["333333333\n", "111111111\n222222222\n"], []]);
});

Deno.test("LogFile writes nothing while other users may write to its directory", async () => {
  using kept = new Kept();
  await kept.clock.advance(1000);
  Deno.chmodSync(kept.dir.file("logs"), 0o777);
  const writing = kept.write("secret\n");
  await kept.clock.advance(2000);
  assertMatch(kept.told.join(), /^cannot write to: .*writable by other users \(mode 0777\)/);
  Deno.chmodSync(kept.dir.file("logs"), 0o755);
  await kept.clock.advance(1000);
  await writing;
  assertEquals(kept.contents(), ["secret\n"]);
});

Deno.test("LogFile goes on in the file at its path, whatever another program did to the previous one", async () => {
  using kept = new Kept({ maxBytes: 1000 });
  await kept.write("one\n");
  Deno.renameSync(kept.path, `${kept.path}.old`);
  await kept.write("two\n");
  assertEquals(Deno.readTextFileSync(`${kept.path}.old`), "one\ntwo\n", "it is looked at once a second");
  await kept.clock.advance(1000);
  await kept.write("three\n");
  assertEquals(Deno.readTextFileSync(kept.path), "three\n");
  Deno.removeSync(kept.path);
  kept.file.check();
  await kept.write("four\n");
  assertEquals(Deno.readTextFileSync(kept.path), "four\n", "it is looked at as soon as that is asked for");
  assertEquals(kept.told, []);
});

Deno.test("LogFile counts the file's actual size after another program emptied it", async () => {
  using kept = new Kept({ maxBytes: 20 });
  await kept.write("0123456789abcdef\n");
  Deno.truncateSync(kept.path);
  await kept.clock.advance(1000);
  await kept.write("fits\n");
  assertEquals(kept.contents(), ["fits\n"]);
});

for (
  const [what, spoil] of [
    ["a directory is in its place", (path: string) => Deno.mkdirSync(path)],
    ["a symlink is in its place", (path: string) => Deno.symlinkSync("/dev/null", path)],
  ] as const
) {
  Deno.test(`LogFile diverts its output if ${what}, and does not wait`, async () => {
    using kept = new Kept();
    spoil(kept.path);
    for (let second = 0; second < 3; second++) {
      await kept.write("line\n");
      await kept.clock.advance(500);
    }
    assertEquals([kept.elsewhere, kept.told], ["line\n".repeat(3), ["cannot write to: not a regular file"]]);
    Deno.removeSync(kept.path);
    await kept.clock.advance(1000);
    await kept.write("again\n");
    assertEquals([kept.contents(), kept.told.slice(1)], [["again\n"], ["recovered"]]);
  });
}
