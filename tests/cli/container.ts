import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Tool } from "../../tools/permissions.ts";
import { type TempDir, until } from "../helpers.ts";
import { hasCommand, IS_ROOT, makeBundles, run, signalIfThere, TIMEOUT_MS } from "./tools.ts";

/** The words that put a command into new namespaces. */
export const NAMESPACES = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--net"];

/** Returns whether containers can be made here. */
export async function canIsolate(): Promise<boolean> {
  if (!IS_ROOT || !["unshare", "chroot", "busybox", "ldd"].every(hasCommand)) return false;
  return (await run([...NAMESPACES, "true"])).code === 0;
}

/** Copies a program and its shared libraries into a root directory. */
async function install(root: TempDir, program: string, path: string): Promise<void> {
  const { stdout } = await run(["ldd", program]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library!);
  for (const [from, to] of [[program, path], ...libraries.map((library) => [library, library])] as const) {
    Deno.mkdirSync(join(root.path, to, ".."), { recursive: true });
    Deno.copyFileSync(from, join(root.path, to));
    Deno.chmodSync(join(root.path, to), 0o755);
  }
}

/** Fills a root directory with Deno, busybox and the bundles of some tools, and nothing else. */
export async function makeRoot(root: TempDir, ...tools: readonly Tool[]): Promise<void> {
  await install(root, Deno.execPath(), "/bin/deno");
  const busybox = (await run(["sh", "-c", "command -v busybox"])).stdout.trim();
  await install(root, busybox, "/bin/busybox");
  for (const applet of ["sh", "sleep", "cat", "touch"]) Deno.symlinkSync("busybox", root.file("bin", applet));
  for (const directory of ["conf", "messages", "proc", "dev", "tmp", "run", "opt"]) root.dir(directory);
  assertEquals((await run(["mknod", root.file("dev", "null"), "c", "1", "3"])).code, 0);
  await makeBundles(root.file("opt", "ncolony"), ...tools);
}

/** A program that runs as PID 1 in namespaces and a root directory of its own. */
export class Container implements AsyncDisposable {
  /** The pid of its PID 1, seen from outside. */
  readonly init: Promise<number>;
  readonly #unshare: Deno.ChildProcess;
  readonly #said: Promise<string>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #pid = 0;

  /** Starts a container: the shell script `setup` mounts what it needs, then becomes `argv`. */
  constructor(setup: string, argv: readonly string[], env: Readonly<Record<string, string>>) {
    const [command, ...args] = [...NAMESPACES, "sh", "-c", `${setup} && exec "$@"`, "sh", ...argv];
    const options = {
      args,
      env: { PATH: Deno.env.get("PATH")!, ...env },
      clearEnv: true,
      stdout: "null",
      stderr: "piped",
    } as const;
    this.#unshare = new Deno.Command(command!, options).spawn();
    this.#said = new Response(this.#unshare.stderr).text();
    this.#timer = setTimeout(() => this.signal("SIGKILL"), 3 * TIMEOUT_MS);
    this.init = until("unshare has a child", () => {
      const { stdout } = new Deno.Command("ps", { args: ["--ppid", `${this.#unshare.pid}`, "-o", "pid="] })
        .outputSync();
      this.#pid = Number(new TextDecoder().decode(stdout));
      return this.#pid > 0 && this.#pid;
    });
  }

  /** Sends its PID 1 a signal, from outside. */
  signal(signal: Deno.Signal): void {
    signalIfThere(this.#pid || this.#unshare.pid, signal);
  }

  /** Waits until it exits. Returns the exit code and the lines of its stderr. */
  async ended(): Promise<{ code: number; lines: string[] }> {
    const { code } = await this.#unshare.status;
    clearTimeout(this.#timer);
    return { code, lines: (await this.#said).split("\n") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
  }
}
