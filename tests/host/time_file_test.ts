import { assertEquals } from "@std/assert";
import { TimeFile } from "@ncolony/host";
import { tempDir } from "../helpers.ts";

Deno.test("TimeFile keeps a time over a restart, and replaces what stands there by renaming", () => {
  using dir = tempDir();
  const told: string[] = [];
  const open = (path: string) => new TimeFile(path, (fault) => told.push(fault));
  const path = dir.file("last");
  assertEquals(open(path).read(), null);
  open(path).write(1_768_000_000_123);
  assertEquals([open(path).read(), Deno.readTextFileSync(path)], [1_768_000_000_123, "2026-01-09T23:06:40.123Z\n"]);
  const secret = dir.write("secret", "hunter2");
  Deno.removeSync(path);
  Deno.symlinkSync(secret, path);
  assertEquals(open(path).read(), null);
  open(path).write(0);
  assertEquals([Deno.readTextFileSync(secret), Deno.lstatSync(path).isFile], ["hunter2", true]);
  assertEquals(told, ["cannot be read, so nothing is known of before: is not a regular file"]);
});

Deno.test("TimeFile tells once what is wrong, and waits for nobody", async () => {
  using dir = tempDir();
  const told: string[] = [];
  const open = (path: string) => new TimeFile(path, (fault) => told.push(fault));
  const fifo = dir.file("fifo");
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  for (
    const [path, fault] of [
      [fifo, "cannot be read, so nothing is known of before: is not a regular file"],
      [
        dir.write("large", "x".repeat(1000)),
        "cannot be read, so nothing is known of before: must be at most 100 bytes",
      ],
      [dir.write("text", "hunter2"), "holds no time, so nothing is known of before"],
      [dir.dir("directory"), "cannot be read, so nothing is known of before: is not a regular file"],
    ]
  ) {
    assertEquals([open(path).read(), told.pop()], [null, fault]);
  }
  const file = open(dir.file("none/last"));
  for (let times = 0; times < 3; times++) file.write(0);
  assertEquals(told, ["cannot be written: is not there"]);
});
