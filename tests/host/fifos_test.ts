import { assertEquals, assertStringIncludes } from "@std/assert";
import { configDirectory } from "@ncolony/host";
import { Fifos } from "../../host/fifos.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { Actor, canRun } from "./actors.ts";
import { Trial } from "./children.ts";

/** Makes FIFOs; gives their paths. */
function makeFifos(dir: TempDir, ...names: string[]): string[] {
  const paths = names.map((name) => dir.file(name));
  if (!canRun("mkfifo", ...paths)) throw new Error(`Cannot make ${paths}`);
  return paths;
}

/** Opens a FIFO to read, as a child that says so when it is open. */
function reader(path: string): Trial {
  return new Trial(["sh", "-c", 'echo waits; exec 3< "$0"; echo open', path]);
}

async function isOpen(trial: Trial): Promise<void> {
  await until("it is open", () => trial.text.stdout === "waits\nopen\n");
}

/** How many descriptors of things in a directory this program has. */
async function heldIn(dir: TempDir): Promise<number> {
  await using trial = new Trial(["ls", "-l", `/proc/${Deno.pid}/fd`]);
  return (await trial.result()).split(dir.path).length - 1;
}

Deno.test("Fifos.holdThese() lets readers in, also who waited, until it is to hold others", async () => {
  using dir = tempDir();
  const [one, two] = makeFifos(dir, "one", "two");
  const fifos = new Fifos();
  await using waiting = reader(one);
  await waiting.line();
  fifos.holdThese(new Set([one]));
  await isOpen(waiting);
  fifos.holdThese(new Set([one, two]));
  await using late = reader(two);
  await isOpen(late);
  fifos.holdThese(new Set([two]));
  await using shut = reader(one);
  await shut.line();
  await using other = reader(two);
  await isOpen(other);
  assertEquals(shut.text.stdout, "waits\n");
  fifos.holdThese(new Set());
  assertEquals(await heldIn(dir), 0);
});

Deno.test("Fifos.holdThese() opens each once, and not more than 256", async () => {
  using dir = tempDir();
  const paths = new Set(makeFifos(dir, ...Array.from({ length: 300 }, (_, i) => `fifo${i}`)));
  const fifos = new Fifos();
  for (let i = 0; i < 3; i++) fifos.holdThese(paths);
  assertEquals(await heldIn(dir), 256);
  fifos.holdThese(new Set());
  assertEquals(await heldIn(dir), 0);
});

Deno.test("Fifos.holdThese() passes over what is gone", () => {
  const fifos = new Fifos();
  fifos.holdThese(new Set(["/no/such/fifo"]));
  fifos.holdThese(new Set());
});

Deno.test("Directory.names() holds the FIFOs in it, also behind links and under names that are ignored", async () => {
  using dir = tempDir();
  using outside = tempDir();
  const [plain, hidden, fresh] = makeFifos(dir, "plain", ".hidden", "fresh.new");
  const [target] = makeFifos(outside, "target");
  Deno.symlinkSync(target, dir.file("link"));
  dir.write("file", "{}");
  const directory = configDirectory(dir.path);
  const names = directory.names();
  assertEquals(Array.isArray(names) && names.sort(), ["file", "link", "plain"]);
  assertEquals([await heldIn(dir), await heldIn(outside)], [3, 1]);
  for (const path of [plain, hidden, fresh, dir.file("link")]) Deno.removeSync(path);
  directory.names();
  assertEquals([await heldIn(dir), await heldIn(outside)], [0, 0]);
});

for (const kind of ["FIFO", "link to a FIFO"]) {
  Deno.test(`watch() goes on telling, and can be closed, where a ${kind} that is held is touched`, async () => {
    using dir = tempDir();
    using outside = tempDir();
    if (kind === "FIFO") makeFifos(dir, "fifo");
    else Deno.symlinkSync(makeFifos(outside, "target")[0], dir.file("fifo"));
    await using actor = new Actor(["watch", dir.path, "fifo", "held"]);
    await actor.says("watches work");
  });
}

Deno.test("Watch.close() does not wait for ever where a FIFO made watches hang, which are not made any more then", async () => {
  using dir = tempDir();
  makeFifos(dir, "fifo");
  await using actor = new Actor(["watch", dir.path, "fifo", "loose"]);
  await until("it is said what became of watches", () => actor.stdout !== "");
  assertStringIncludes(actor.stdout, "watches hang");
});
