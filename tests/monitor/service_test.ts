import { MIN_START_GAP_MS } from "@ncolony/core";
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { DEFAULTS, makeService, PidDirectory } from "@ncolony/monitor";
import { isAlive, tempDir, until } from "../helpers.ts";

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

function pidIn(path: string): number | null {
  try {
    return Number(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Runs a program that uses the library; its first argument is a directory for its own use. */
function program(code: string, directory: string): Deno.ChildProcess {
  const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
  const file = join(directory, "program.ts");
  Deno.writeTextFileSync(file, code);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--frozen", "--allow-all", "--config", config, file, directory],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Returns the output of a program, without the times in its log. */
async function written(child: Deno.ChildProcess): Promise<{ code: number; stdout: string; stderr: string[] }> {
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  const lines = text.decode(stderr).trimEnd().split("\n").map((line) => line.replace(/^\S+Z /, ""));
  return { code, stdout: text.decode(stdout), stderr: lines };
}

Deno.test("get() returns a service that runs a config directory, with pid files and a log on stderr", async () => {
  using dir = tempDir();
  const config = dir.dir("config");
  const messages = dir.dir("messages");
  Deno.writeTextFileSync(`${config}/web`, '{"args": ["sh", "-c", "echo hello; exec sleep 1000"]}');
  const code = `
    import { get } from "@ncolony/monitor";
    const [dir] = Deno.args;
    const service = get(dir + "/config", dir + "/messages", 0.05, dir + "/pids");
    Deno.addSignalListener("SIGTERM", () => service.stop());
    await service.start();
    Deno.exit(await service.ended);
  `;
  const child = program(code, dir.path);
  const first = await until("web runs", () => pidIn(dir.file("pids", "web")));
  // Before that, it would not be started again.
  await new Promise((resolve) => setTimeout(resolve, MIN_START_GAP_MS));
  Deno.writeTextFileSync(`${messages}/1`, '{"type": "RESTART", "name": "web"}');
  const second = await until("web runs again", () => {
    const pid = pidIn(dir.file("pids", "web"));
    return pid !== first && pid;
  });
  child.kill("SIGTERM");
  const { code: exitCode, stdout, stderr } = await written(child);
  assertEquals(exitCode, 0);
  assertMatch(stdout, /^(\[web\] hello\n){0,2}$/);
  const without = /running -> stopping \(unwanted\)|web: ended: SIGTERM after /;
  assertEquals(stderr.filter((line) => without.test(line)).length, 3);
  assertEquals(stderr.filter((line) => !without.test(line)), [
    `INFO web: gone -> running (wanted), pid ${first}`,
    'INFO message "1": RESTART "web"',
    "INFO web: running -> stopping (restart)",
    `INFO web: stopping -> running (kill scope is empty), pid ${second}`,
    "INFO web: stopping -> gone (kill scope is empty)",
    "INFO all processes have ended",
  ]);
  assertEquals([namesIn(dir.file("pids")), namesIn(messages)], [[], []]);
  assertEquals([isAlive(first), isAlive(second)], [false, false]);
});

Deno.test("makeService() returns a service that stops at the end of its scope", async () => {
  using dir = tempDir();
  dir.dir("messages");
  Deno.writeTextFileSync(`${dir.dir("config")}/web`, '{"args": ["sleep", "1000"]}');
  const code = `
    import { DEFAULTS, makeService } from "@ncolony/monitor";
    const [dir] = Deno.args;
    const options = { ...DEFAULTS, config: dir + "/config", messages: dir + "/messages", pid: dir + "/pids" };
    const told = [];
    {
      await using service = makeService(options);
      await service.start();
      while ([...Deno.readDirSync(dir + "/pids")].length === 0) await new Promise((go) => setTimeout(go, 5));
      try {
        await makeService(options).start();
      } catch (error) {
        told.push(error.message);
      }
    }
    told.push([...Deno.readDirSync(dir + "/pids")].length);
    Deno.writeTextFileSync(dir + "/told", told.join("; "));
  `;
  const { code: exitCode, stderr } = await written(program(code, dir.path));
  assertEquals([exitCode, stderr.at(-1)], [0, "INFO all processes have ended"]);
  assertMatch(
    Deno.readTextFileSync(dir.file("told")),
    /^Cannot lock .* another monitor uses this messages directory; 0$/,
  );
});

Deno.test("makeService() returns a service whose start() rejects if a directory is missing", async () => {
  using dir = tempDir();
  const places = { config: dir.file("nowhere"), messages: dir.dir("messages") };
  await assertRejects(() => makeService({ ...DEFAULTS, ...places }).start(), Error, "no such file or directory");
});

Deno.test("PidDirectory keeps one file per name with the pid in decimal", () => {
  using dir = tempDir();
  const path = dir.file("run", "pids");
  const pids = new PidDirectory(path);
  assertEquals([pids.write("web", 17), pids.write("db", 4_194_304)], [null, null]);
  assertEquals([pidIn(`${path}/web`), pidIn(`${path}/db`)], [17, 4_194_304]);
  assertEquals(Deno.readTextFileSync(`${path}/web`).trim(), "17");
  assertEquals(pids.write("web", 18), null);
  assertEquals([pids.remove("db"), pids.remove("db")], [null, null]);
  assertEquals([namesIn(path), pidIn(`${path}/web`)], [["web"], 18]);
  assertEquals(new PidDirectory(path).remove("web"), null);
});

Deno.test("PidDirectory does not write through a symbolic link, and returns why it cannot write", () => {
  using dir = tempDir();
  const path = dir.dir("pids");
  const pids = new PidDirectory(path);
  const secret = dir.write("secret", "secret");
  Deno.symlinkSync(secret, `${path}/web`);
  assertEquals(pids.write("web", 17), null);
  assertEquals([Deno.readTextFileSync(secret), Deno.lstatSync(`${path}/web`).isSymlink], ["secret", false]);
  Deno.removeSync(path, { recursive: true });
  assertEquals(pids.write("web", 18), "no such file or directory");
  assertThrows(() => new PidDirectory(secret), Error);
});
