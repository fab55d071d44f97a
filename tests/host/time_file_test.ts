import { assertEquals } from "@std/assert";
import { TimeFile } from "@ncolony/host";
import { tempDir } from "../helpers.ts";

Deno.test("TimeFile keeps a time across restarts, and replaces an existing file by rename", () => {
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
  assertEquals(told, ["cannot be read: not a regular file; assuming that no run was missed"]);
});

Deno.test("TimeFile reports a fault once, and does not wait for a FIFO", async () => {
  using dir = tempDir();
  const told: string[] = [];
  const open = (path: string) => new TimeFile(path, (fault) => told.push(fault));
  const fifo = dir.file("fifo");
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  for (
    const [path, fault] of [
      [fifo, "cannot be read: not a regular file; assuming that no run was missed"],
      [
        dir.write("large", "x".repeat(1000)),
        "cannot be read: must be at most 100 bytes; assuming that no run was missed",
      ],
      [dir.write("text", "hunter2"), "contains no valid time: assuming that no run was missed"],
      [dir.dir("directory"), "cannot be read: not a regular file; assuming that no run was missed"],
    ]
  ) {
    assertEquals([open(path).read(), told.pop()], [null, fault]);
  }
  const file = open(dir.file("none/last"));
  for (let times = 0; times < 3; times++) file.write(0);
  assertEquals(told, ["cannot be written: no such file or directory"]);
});
