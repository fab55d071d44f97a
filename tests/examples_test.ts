import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { type TempDir, tempDir, until } from "./helpers.ts";
import { MONITOR_PERMISSIONS, namesIn, PATIENCE_MS, place, ROOT, signalIfThere } from "./cli/tools.ts";

/** An example that runs as a program. `await using` ends it. */
class Example implements AsyncDisposable {
  /** What it has written to stdout until now. */
  stdout = "";
  /** What it has written to stderr until now. */
  stderr = "";
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  #isOver = false;

  constructor(name: string, permissions: readonly string[], argv: readonly string[], env: Record<string, string> = {}) {
    const flags = ["run", "--frozen", "--no-prompt", ...permissions];
    const args = [...flags, join(ROOT, "examples", `${name}.ts`), ...argv];
    this.#child = new Deno.Command(Deno.execPath(), { args, env, stdin: "null", stdout: "piped", stderr: "piped" })
      .spawn();
    this.#child.status.then(() => this.#isOver = true);
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (text: string) => void) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
    };
    this.#read = Promise.all([
      read(this.#child.stdout, (text) => this.stdout += text),
      read(this.#child.stderr, (text) => this.stderr += text),
    ]);
  }

  /** Waits until its output matches. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    const all = () => `${this.stdout}${this.stderr}`;
    try {
      return await until(`${pattern}`, () => {
        const match = pattern.exec(all());
        if (match === null && this.#isOver) throw new Error("it is over");
        return match;
      });
    } catch (error) {
      throw new Error(`Not seen in the example: ${pattern}\n${all()}`, { cause: error });
    }
  }

  /** Asks it to end; gives its exit code. */
  async stop(): Promise<number> {
    signalIfThere(this.#child.pid, "SIGTERM");
    const timer = setTimeout(() => signalIfThere(this.#child.pid, "SIGKILL"), PATIENCE_MS);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function placesIn(dir: TempDir): [config: string, messages: string] {
  return [dir.dir("config"), dir.dir("messages")];
}

Deno.test("the embedded colony tells what becomes of its processes, and stops them when it is asked to end", async () => {
  using dir = tempDir();
  const [config, messages] = placesIn(dir);
  await using example = new Example("embedded", MONITOR_PERMISSIONS, [config, messages]);
  place(config, "web", '{"args": ["cat"]}');
  await example.waitFor(/^web runs as pid \d+$/m);
  place(config, "db", '{"args": ["sh", "-c", "exit 3"]}');
  await example.waitFor(/^db has ended: \{ type: "code", code: 3 \}$/m);
  await example.waitFor(/^db is started again in \d+ ms$/m);
  place(config, "bad", "{");
  await example.waitFor(/^trouble with bad: /m);
  Deno.removeSync(join(config, "db"));
  await example.waitFor(/^db is gone$/m);
  assertEquals(await example.stop(), 0);
  assertMatch(example.stdout, /^web is gone$/m);
});

Deno.test("the web service adds, restarts and removes workers, and refuses what is none", async () => {
  using dir = tempDir();
  const [config, messages] = placesIn(dir);
  const both = `${config},${messages}`;
  const permissions = ["--allow-net=127.0.0.1", `--allow-read=${both}`, `--allow-write=${both}`];
  await using example = new Example("web_service", permissions, [config, messages, "/usr/bin/worker", "0"]);
  const [, base] = await example.waitFor(/Listening on (http:\/\/127\.0\.0\.1:\d+)\//);
  const ask = async (method: string, path: string) => {
    const response = await fetch(`${base}${path}`, { method });
    return [response.status, await response.text()] as const;
  };
  assertEquals(await ask("PUT", "/workers/acme"), [204, ""]);
  const added = JSON.parse(Deno.readTextFileSync(join(config, "acme")));
  assertEquals([added.args, added.group], [["/usr/bin/worker", "acme"], ["workers"]]);
  assertEquals(await ask("POST", "/workers/acme/restart"), [202, ""]);
  const [message] = namesIn(messages);
  assertEquals(JSON.parse(Deno.readTextFileSync(join(messages, message!))), { type: "RESTART", name: "acme" });
  assertEquals((await ask("DELETE", "/workers/acme"))[0], 204);
  assertEquals(namesIn(config), []);
  for (const path of ["/", "/workers/..%2Fx", "/workers/%ff", "/workers/.x"]) {
    assertEquals([path, (await ask("PUT", path))[0]], [path, path === "/" ? 404 : 400]);
  }
  assertEquals((await ask("DELETE", "/workers/acme"))[0], 404);
  assertEquals((await ask("GET", "/workers/acme"))[0], 405);
  assertEquals(namesIn(config), []);
});

Deno.test("the worker beats where its config has a heart, and works without one", async () => {
  using dir = tempDir();
  const hearts = dir.dir("hearts");
  const permissions = [
    `--allow-read=${hearts}`,
    `--allow-write=${hearts}`,
    "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME",
  ];
  const beatcheck = { period: 10, grace: 3, status: hearts };
  const env = { NCOLONY_NAME: "worker", NCOLONY_CONFIG: JSON.stringify({ "ncolony.beatcheck": beatcheck }) };
  await using watched = new Example("worker_with_heart", permissions, [], env);
  await using other = new Example("worker_with_heart", permissions, []);
  for (const it of [watched, other]) await it.waitFor(/^round 1 is done$/m);
  assertEquals(namesIn(hearts), ["worker"]);
  assertEquals([watched.stderr, other.stderr], ["", ""]);
});
