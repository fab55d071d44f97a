import { until } from "../helpers.ts";
import { below, REAPER_PERMISSIONS, type Role, SUBREAPER } from "./reaping.ts";
import { hasCommand, latin1, ROOT, signalIfThere, toolCommand } from "./tools.ts";

const MISSING = ["script", "bash", "stty", "tty"].filter((name) => !hasCommand(name));

/** The words that run reaper. */
export const REAPER: readonly string[] = toolCommand("reaper/mod.ts", REAPER_PERMISSIONS);

/** An interactive shell that prints only its prompt, and keeps no history. */
export const SHELL: readonly string[] = ["bash", "--norc", "--noediting", "-i"];

/** Defines a test on a terminal, in a role or in none. If that is not possible, skips it and says so in its title. */
export function testOnTerminal(role: Role | null, name: string, fn: () => Promise<void>): void {
  const missing = [...MISSING, ...(role?.wrap === null ? ["unshare, or the right to use it,"] : [])];
  const suffix = missing.length > 0 ? ` (skipped: ${missing.join(", ")} is missing)` : "";
  const place = role === null ? "" : `as ${role.name}, `;
  Deno.test({ name: `on a terminal, ${place}${name}${suffix}`, ignore: missing.length > 0, fn });
}

/** A terminal with a program that leads its session. `await using` ends it and all processes below it. */
export class Terminal implements AsyncDisposable {
  /** The process that provides the terminal. */
  readonly #process: Deno.ChildProcess;
  readonly #role: Role;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #pids = new Set<number>();
  readonly #utf8 = new TextDecoder();
  #isOver = false;
  #bytes = "";
  #seen = "";

  /** Starts the program on a new terminal. */
  constructor(argv: readonly string[], role = SUBREAPER) {
    const words = [...role.wrap!, ...argv].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    this.#process = new Deno.Command("script", {
      args: ["-qfec", `exec ${words.join(" ")}`, "/dev/null"],
      cwd: ROOT,
      env: { SHELL: "/bin/sh", LC_ALL: "C", PS1: "$ ", HISTFILE: "" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#process.status.then(() => this.#isOver = true);
    this.#role = role;
    this.#writer = this.#process.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** All text that the terminal has shown so far. */
  get seen(): string {
    return this.#seen;
  }

  /** All bytes that the terminal has shown so far, one character per byte. */
  get bytes(): string {
    return this.#bytes;
  }

  /** Types a text: `\x03` is Ctrl-C. */
  async type(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Waits until a text was seen so many times. */
  async waitFor(text: string, count = 1): Promise<void> {
    await this.#until(`${JSON.stringify(text)} is seen ${count} times`, () => {
      if (this.count(text) >= count) return true;
      if (this.#isOver) throw new Error("it is over");
    });
  }

  /** Returns how often a text was seen. */
  count(text: string): number {
    return this.#seen.split(text).length - 1;
  }

  /** Returns the pids of all processes on the terminal, parents first. The first one is the program's. */
  async pids(): Promise<number[]> {
    const pids = await below(this.#process.pid);
    for (const pid of pids) this.#pids.add(pid);
    return pids.slice(this.#role === SUBREAPER ? 0 : 1);
  }

  /** Closes the terminal. */
  async hangUp(): Promise<void> {
    await this.pids();
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  /** Waits until the program exits by itself. Returns its exit code. */
  async ended(): Promise<number> {
    await this.#until("the program on the terminal ends", () => this.#isOver);
    await this.#reading;
    return (await this.#process.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (!this.#isOver) {
      for (const pid of [...await below(this.#process.pid), this.#process.pid]) signalIfThere(pid, "SIGKILL");
      await Promise.race([this.#process.status, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    for (const pid of this.#pids) signalIfThere(pid, "SIGKILL");
    await this.#writer.close().catch(() => {});
    await this.#reading;
  }

  async #until(what: string, condition: () => boolean | undefined): Promise<void> {
    try {
      await until(what, condition);
    } catch (error) {
      throw new Error(`It is not true that ${what}. The terminal shows:\n${this.#seen}`, { cause: error });
    }
  }

  async #read(): Promise<void> {
    for await (const chunk of this.#process.stdout) {
      this.#bytes += latin1(chunk);
      this.#seen += this.#utf8.decode(chunk, { stream: true });
    }
  }
}
