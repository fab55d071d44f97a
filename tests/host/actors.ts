import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { until } from "../helpers.ts";

/** `actor.ts` as another process, which ends with the scope: `await using actor = new Actor(["lock", path])`. */
export class Actor implements AsyncDisposable {
  /** Its stdout so far. */
  stdout = "";
  /** Its stderr so far. */
  stderr = "";
  /** Its exit status. Null while it runs. */
  status: Deno.CommandStatus | null = null;
  readonly #child: Deno.ChildProcess;
  readonly #done: Promise<void>;

  /**
   * Starts the actor.
   *
   * @param args What it is to do.
   * @param under The command that runs it, with its first arguments.
   * @param cwd Its working directory. Every user may enter the default one.
   * @param permissions Its permissions.
   */
  constructor(
    args: readonly string[],
    under: readonly string[] = [],
    cwd = "/",
    permissions: readonly string[] = ["-A"],
  ) {
    const actor = fromFileUrl(import.meta.resolve("./actor.ts"));
    const deno = [Deno.execPath(), "run", "--quiet", "--frozen", "--no-prompt", ...permissions];
    const [command, ...rest] = [...under, ...deno, actor, ...args];
    this.#child = new Deno.Command(command!, { args: rest, cwd, stdin: "piped", stdout: "piped", stderr: "piped" })
      .spawn();
    this.#done = this.#listen();
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until it has written a text to stdout. */
  async says(text: string): Promise<void> {
    await until(`${text} is said, not ${this.stdout} ${this.stderr}`, () => this.stdout.includes(text));
  }

  /** Waits until it exits by itself. Returns its exit code. */
  async code(): Promise<number | undefined> {
    await until("another process ends", () => this.status !== null);
    await this.#done;
    return this.status?.code;
  }

  /** Waits until it exits by itself with success. Returns its stdout. */
  async result(): Promise<string> {
    assertEquals([await this.code(), this.stderr], [0, ""]);
    return this.stdout;
  }

  /** Waits until it exits by itself. Returns its exit code and stderr. */
  async failure(): Promise<{ code: number | undefined; stderr: string }> {
    return { code: await this.code(), stderr: this.stderr };
  }

  /** Sends it a signal, and waits until it has exited. */
  async end(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    if (this.status === null) {
      try {
        this.#child.kill(signal);
      } catch (error) {
        // It has just exited, and its status is not known yet.
        if (!(error instanceof TypeError)) throw error;
      }
    }
    await this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#child.stdin.close().catch(() => {});
  }

  async #listen(): Promise<void> {
    const { stdout, stderr, status } = this.#child;
    await Promise.all([
      collect(stdout, (text) => this.stdout += text),
      collect(stderr, (text) => this.stderr += text),
      status.then((status) => this.status = status),
    ]);
  }
}

/** Returns the words that run a command with a umask. */
export function withUmask(umask: string): string[] {
  return ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"];
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) take(decoder.decode(bytes, { stream: true }));
}

/** Whether the tests run as root, and so may become other users. */
export const IS_ROOT: boolean = Deno.uid() === 0;

/** The id of a user that owns nothing. */
export const NOBODY = 65_534;

/** Runs a command. Returns whether it succeeds. */
export function canRun(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
