import { assertEquals } from "@std/assert";
import { Lives } from "@ncolony/host";
import { tempDir } from "../helpers.ts";
import { FakeHost } from "../monitor/fake_host.ts";

/** A pid directory, and the Lives that read it. */
class World implements Disposable {
  readonly dir = tempDir();
  readonly pids = this.dir.dir("pids");
  readonly host = new FakeHost();
  readonly clock = this.host.clock;
  readonly lives = new Lives(this.pids, () => null, this.clock, this.host.log);

  #pid = 100;

  constructor() {
    this.dir.write("pids/.lock", "");
  }

  /** Writes a pid file as a monitor does, as if written so long ago by the wall clock. */
  start(name: string, agoMs = 0, pid = ++this.#pid): void {
    const at = new Date(this.clock.wall() - agoMs);
    Deno.utimeSync(this.dir.write(`pids/.${name}.new`, `${pid}`), at, at);
    Deno.renameSync(this.dir.file(`pids/.${name}.new`), this.dir.file(`pids/${name}`));
  }

  /** Returns how long a process has run, in milliseconds. Null if it does not run. */
  ageOf(name: string): number | null {
    const life = this.lives.of(name);
    return life.type === "up" ? this.clock.now() - life.since : null;
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

Deno.test("Lives.of() tells since when a process runs, that it does not run, or that it was restarted", async () => {
  using it = new World();
  assertEquals(it.lives.of("web"), { type: "down" });
  await it.clock.advance(100_000);
  it.start("web", 7000);
  assertEquals(it.ageOf("web"), 7000);
  await it.clock.advance(1000);
  const before = it.lives.of("web");
  assertEquals(it.ageOf("web"), 8000);
  await it.clock.advance(2000);
  it.start("web", 500);
  assertEquals([it.ageOf("web"), it.lives.of("web") === before], [500, false]);
  Deno.removeSync(it.dir.file("pids/web"));
  assertEquals(it.lives.of("web"), { type: "down" });
  assertEquals(it.host.log.lines, []);
});

Deno.test("Lives.of() takes no process as older than possible, or as from the future, when the wall clock jumps", async () => {
  using it = new World();
  it.start("web", 5000);
  assertEquals(it.ageOf("web"), 5000);
  it.clock.wallShiftMs += 86_400_000;
  assertEquals(it.ageOf("web"), 5000, "it is the same");
  await it.clock.advance(2000);
  it.start("web", 86_400_000);
  assertEquals(it.ageOf("web"), 2000, "it was not there at the last look");
  await it.clock.advance(1000);
  it.start("web", -3600_000);
  assertEquals(it.ageOf("web"), 0);
});

Deno.test("Lives.of() takes a rewritten pid file as the same life, unless there was none in between", async () => {
  using it = new World();
  it.start("web", 5000, 101);
  assertEquals(it.ageOf("web"), 5000);
  await it.clock.advance(1000);
  it.start("web", 0, 101);
  assertEquals(it.ageOf("web"), 6000);
  Deno.removeSync(it.dir.file("pids/web"));
  assertEquals(it.ageOf("web"), null);
  it.start("web", 0, 101);
  assertEquals(it.ageOf("web"), 0);
});

Deno.test("Lives.of() knows nothing from a directory that no monitor keeps", () => {
  using it = new World();
  Deno.removeSync(it.dir.file("pids/.lock"));
  assertEquals(it.lives.of("web"), { type: "unknown" });
  assertEquals(
    it.host.log.count(": no monitor keeps pid files there; a grace period begins when a restart is requested"),
    1,
  );
  it.start("db");
  assertEquals(it.lives.of("web"), { type: "down" }, "as Python NColony leaves it");
});

Deno.test("Lives.of() takes only a regular file as a pid file", () => {
  using it = new World();
  it.dir.dir("pids/web");
  Deno.symlinkSync(it.dir.write("file", "101"), it.dir.file("pids/db"));
  assertEquals(["web", "db"].map((name) => it.lives.of(name).type), ["down", "down"]);
});

Deno.test("Lives logs once that the starts are unknown, and when they are known again", () => {
  using it = new World();
  Deno.removeSync(it.pids, { recursive: true });
  for (const name of ["web", "db"]) assertEquals(it.lives.of(name), { type: "unknown" });
  it.dir.dir("pids");
  it.dir.write("pids/.lock", "");
  assertEquals(it.lives.of("web"), { type: "down" });
  assertEquals(it.host.log.lines, [
    `WARN cannot read process start times from "${it.pids}": no such file or directory; ` +
    "a grace period begins when a restart is requested",
    `INFO process start times can be read again from "${it.pids}"`,
  ]);
});

Deno.test("Lives without a directory knows nothing, and logs that once", () => {
  using it = new World();
  const lives = new Lives(null, () => null, it.clock, it.host.log);
  for (const name of ["web", "db"]) assertEquals(lives.of(name), { type: "unknown" });
  assertEquals([lives.isKnown, it.host.log.lines], [false, [
    "WARN cannot read process start times: no --pid directory was given; a grace period begins when a restart is requested",
  ]]);
});
