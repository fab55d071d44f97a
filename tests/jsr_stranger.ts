import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { copySync } from "@std/fs/copy";
import { ensureDirSync } from "@std/fs/ensure-dir";
import { dirname, join } from "@std/path";
import { type Result, ROOT, signalIfThere, TIMEOUT_MS } from "./cli/tools.ts";
import { type TempDir, tempDir, until } from "./helpers.ts";

const NPM = join("npm", "registry.npmjs.org");
const CACHE = denoDir();
/** The npm packages in the lock file: name, version, and hash. */
const LOCKED: readonly [string, string, string][] = Object
  .entries<{ integrity: string }>(JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.lock"))).npm)
  .map(([it, { integrity }]) => [it.slice(0, it.lastIndexOf("@")), it.slice(it.lastIndexOf("@") + 1), integrity]);

/** A user with an empty folder and only npm's packages in the cache, whose Deno can reach no other machine. */
export class Stranger implements Disposable {
  /** The directory with everything of this user. */
  readonly dir: TempDir = tempDir();
  /** The user's folder. */
  readonly home: string = this.dir.dir("home");
  readonly #env: Readonly<Record<string, string>>;

  /** Creates a user, with additional environment variables for Deno. */
  constructor(env: Readonly<Record<string, string>>) {
    const cache = this.dir.dir("cache");
    for (const [name, version, integrity] of LOCKED) copyNpmPackage(name, version, integrity, cache);
    const PATH = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
    this.#env = { ...env, PATH, HOME: this.home, DENO_DIR: cache, HTTPS_PROXY: "http://127.0.0.1:9", NO_COLOR: "1" };
  }

  /** Runs a command until it exits. */
  async run([command, ...args]: readonly string[], cwd: string = this.home): Promise<Result> {
    const signal = AbortSignal.timeout(120_000);
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args,
      cwd,
      env: this.#env,
      clearEnv: true,
      signal,
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }

  /** Runs Deno, which must succeed and write nothing to stderr. Returns its stdout. */
  async deno(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run([Deno.execPath(), "--quiet", ...args]);
    assertEquals([code, stderr], [0, ""]);
    return stdout;
  }

  /** Runs a monitor with Deno during `work`, which waits for its output, and then stops it. */
  async monitor(args: readonly string[], work: (has: (text: string) => Promise<void>) => Promise<void>): Promise<void> {
    const monitor = new Deno.Command(Deno.execPath(), {
      args: ["--quiet", ...args],
      cwd: this.home,
      env: this.#env,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let [said, isOver] = ["", false];
    monitor.status.then(() => isOver = true);
    const streams = [monitor.stdout, monitor.stderr].map(async (stream) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) said += text;
    });
    const timer = setTimeout(() => signalIfThere(monitor.pid, "SIGKILL"), 4 * TIMEOUT_MS);
    try {
      await work(async (text) => {
        await until(`the monitor says: ${text}`, () => isOver || said.includes(text));
        assertStringIncludes(said, text);
      });
    } finally {
      signalIfThere(monitor.pid, "SIGTERM");
      await Promise.all([monitor.status, ...streams]);
      clearTimeout(timer);
    }
    assertEquals((await monitor.status).code, 0, said);
    assertMatch(said, /INFO all processes have ended\n$/);
  }

  /** Writes a file in the folder. */
  write(name: string, text: string): void {
    Deno.writeTextFileSync(join(this.home, name), text);
  }

  /** Returns the text of a file in the folder. */
  read(...path: string[]): string {
    return Deno.readTextFileSync(join(this.home, ...path));
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

/** Whether npm's packages are cached, including the stand-in for `@std`: not if JSR's own packages are used. */
export function isNpmCached(): boolean {
  try {
    return LOCKED.some(([name]) => name === "deno-std") &&
      LOCKED.every(([name, version]) => Deno.statSync(join(CACHE, NPM, name, version)).isDirectory);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function denoDir(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** Copies a package, and writes its npm metadata: this is the only version, and it is not new. */
function copyNpmPackage(name: string, version: string, integrity: string, cache: string): void {
  const from = join(CACHE, NPM, name, version);
  ensureDirSync(join(cache, NPM));
  copySync(from, join(cache, NPM, name, version));
  const { dependencies = {}, bin } = JSON.parse(Deno.readTextFileSync(join(from, "package.json")));
  // Nothing is fetched from there.
  const tarball = `https://registry.npmjs.org/${name}/-/${name}-${version}.tgz`;
  const info = {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { version, dependencies, bin, dist: { tarball, integrity } } },
    time: { [version]: "2000-01-01T00:00:00.000Z" },
  };
  Deno.writeTextFileSync(join(cache, NPM, name, "registry.json"), JSON.stringify(info));
}
