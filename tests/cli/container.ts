import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type TempDir, until } from "../helpers.ts";
import { hasCommand, IS_ROOT, PATIENCE_MS, ROOT, run, signalIfThere } from "./tools.ts";

/** The words that make namespaces, for what they come before. */
export const NAMESPACES = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--net"];

/** Whether there can be containers here. */
export async function canIsolate(): Promise<boolean> {
  if (!IS_ROOT || !["unshare", "chroot", "busybox", "ldd"].every(hasCommand)) return false;
  return (await run([...NAMESPACES, "true"])).code === 0;
}

/** Puts a program and the libraries that it is linked to into a root directory. */
async function install(root: TempDir, program: string, path: string): Promise<void> {
  const { stdout } = await run(["ldd", program]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library!);
  for (const [from, to] of [[program, path], ...libraries.map((library) => [library, library])] as const) {
    Deno.mkdirSync(join(root.path, to, ".."), { recursive: true });
    Deno.copyFileSync(from, join(root.path, to));
    Deno.chmodSync(join(root.path, to), 0o755);
  }
}

/** A root directory with Deno, busybox and the programs, each one file, and with nothing else. */
export async function makeRoot(root: TempDir): Promise<void> {
  await install(root, Deno.execPath(), "/bin/deno");
  const busybox = (await run(["sh", "-c", "command -v busybox"])).stdout.trim();
  await install(root, busybox, "/bin/busybox");
  for (const applet of ["sh", "sleep", "cat", "touch"]) Deno.symlinkSync("busybox", root.file("bin", applet));
  for (const directory of ["conf", "messages", "proc", "dev", "tmp", "run", "opt"]) root.dir(directory);
  assertEquals((await run(["mknod", root.file("dev", "null"), "c", "1", "3"])).code, 0);
  const bundle = ["run", "--frozen", "--allow-read", "--allow-write", "--allow-run", join(ROOT, "tools", "bundle.ts")];
  assertEquals((await run([Deno.execPath(), ...bundle, "--output", root.file("opt", "ncolony")])).code, 0);
}

/** A program that runs as PID 1 of namespaces of its own, in a root directory of its own. */
export class Container implements AsyncDisposable {
  /** The pid of its PID 1, seen from outside. */
  readonly init: Promise<number>;
  readonly #unshare: Deno.ChildProcess;
  readonly #said: Promise<string>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #pid = 0;

  /** Starts one: `setup` mounts what it wants, as a shell script, which then becomes `argv`. */
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
    this.#timer = setTimeout(() => this.signal("SIGKILL"), 3 * PATIENCE_MS);
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

  /** Waits for its end; gives the exit code and what was said. */
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
