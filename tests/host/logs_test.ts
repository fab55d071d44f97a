import { assertEquals } from "@std/assert";
import { denoClock } from "@ncolony/host";
import { Logs } from "../../host/output/logs.ts";
import { tempDir, until } from "../helpers.ts";
import { FakeLog } from "../monitor/fake_host.ts";

const LIMITS = { maxBytes: 1 << 20, keep: 3, hasTimes: false };
const encoder = new TextEncoder();

function nowhere(): never {
  throw new Error("nothing goes elsewhere");
}

Deno.test("Logs writes both streams of a child to one file, line by line, however they interleave", async () => {
  using dir = tempDir();
  const logs = new Logs(dir.file("logs"), denoClock, new FakeLog([]), nowhere);
  const child = logs.forChild("web", LIMITS, 1);
  await child.stdout(encoder.encode("out 1\nout"));
  await child.stderr(encoder.encode("err"));
  await child.stdout(encoder.encode(" 2\n"));
  await child.stderr(encoder.encode(" 1\nno newline"));
  child.end();
  await logs.flush(10_000);
  assertEquals(Deno.readTextFileSync(dir.file("logs", "web.log")), "out 1\nout 2\nerr 1\nno newline\n");
});

Deno.test("Logs writes an unfinished line after a second, and then the rest of it", async () => {
  using dir = tempDir();
  const logs = new Logs(dir.path, denoClock, new FakeLog([]), nowhere);
  const child = logs.forChild("web", LIMITS, 1);
  const text = () => Deno.readTextFileSync(dir.file("web.log"));
  await child.stdout(encoder.encode("before\nPassword: "));
  await until("it is shown", () => text() === "before\nPassword: ");
  await child.stdout(encoder.encode("given\nNew password: "));
  await until("it is shown, too", () => text() === "before\nPassword: given\nNew password: ");
  await child.stderr(encoder.encode("late\n"));
  child.end();
  await logs.flush(10_000);
  assertEquals(text(), "before\nPassword: given\nNew password: \nlate\n");
});

Deno.test("Logs uses the same file while the pipe of the last child is emptied, and closes it after the last one", async () => {
  using dir = tempDir();
  const logs = new Logs(dir.path, denoClock, new FakeLog([]), nowhere);
  const [first, second] = [logs.forChild("web", LIMITS, 1), logs.forChild("web", { ...LIMITS, maxBytes: 4096 }, 1)];
  await second.stdout(encoder.encode("second\n"));
  await first.stdout(encoder.encode("first\n"));
  first.end();
  await second.stdout(encoder.encode("x".repeat(4085) + "\nagain\n"));
  second.end();
  await logs.flush(10_000);
  await until("it is rotated", () => [...Deno.readDirSync(dir.path)].length === 2);
  assertEquals(Deno.readTextFileSync(dir.file("web.log")), "x".repeat(4085) + "\nagain\n");
  assertEquals(Deno.readTextFileSync(dir.file("web.log.1")), "second\nfirst\n");
});

Deno.test("Logs reports what can never be written, and diverts it", async () => {
  using dir = tempDir();
  const log = new FakeLog([]);
  dir.dir("web.log");
  let ends = 0;
  let text = "";
  const elsewhere = (name: string) => {
    const take = (bytes: Uint8Array) => void (text += `${name}: ${new TextDecoder().decode(bytes)}`);
    return { stdout: take, stderr: take, end: () => void ends++ };
  };
  const logs = new Logs(dir.path, denoClock, log, elsewhere);
  const child = logs.forChild("web", LIMITS, 1);
  await child.stdout(encoder.encode("kept\n"));
  child.end();
  await logs.flush(10_000);
  assertEquals([text, ends], ["web: kept\n", 1]);
  assertEquals(log.lines, [
    `ERROR web: cannot write to ${
      JSON.stringify(dir.file("web.log"))
    }: not a regular file; the output of the process goes to the monitor's output`,
  ]);
});
