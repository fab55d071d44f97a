import { join } from "@std/path";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { Program } from "./program.ts";
import { hasCommand, IS_ROOT, removeCgroups, run, signalIfThere, toolCommand } from "./tools.ts";

/** The user that attacks. */
export const NEIGHBOUR = 65_534;

/** Whether there can be a neighbour: the tests run as root, and may become another user. */
export const HAS_NEIGHBOUR: boolean = IS_ROOT && hasCommand("setpriv");

/** The words before a command that the neighbour runs. */
export const AS_NEIGHBOUR: readonly string[] = [
  ...["setpriv", "--reuid", `${NEIGHBOUR}`, "--regid", `${NEIGHBOUR}`, "--clear-groups"],
];

/** A Python that the neighbour can run. */
const PYTHON: string | undefined = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => {
  return HAS_NEIGHBOUR && canRun(AS_NEIGHBOUR[0]!, ...AS_NEIGHBOUR.slice(1), path, "-c", "");
});

/** Defines a test with a neighbour who runs Python. The test is skipped if that is not possible. */
export function pythonTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: `${name} (skipped unless run by root, with setpriv and python3)`,
    ignore: PYTHON === undefined,
    fn,
  });
}

function canRun(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, cwd: "/", stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Defines a test with a neighbour. The test is skipped if there can be none. */
export function neighbourTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${name} (skipped unless run by root, with setpriv)`, ignore: !HAS_NEIGHBOUR, fn });
}

/** A directory that root and a neighbour share. `await using` ends everything that was started in it. */
export class Place implements AsyncDisposable {
  readonly dir: TempDir = tempDir();
  /** A directory that belongs to the neighbour. */
  readonly home: string = this.dir.dir("home");
  readonly #started: Program[] = [];
  readonly #attacks: Deno.ChildProcess[] = [];

  constructor() {
    Deno.chmodSync(this.dir.path, 0o755);
    this.give("home");
  }

  file(...names: string[]): string {
    return this.dir.file(...names);
  }

  /** Makes a directory that belongs to root. Returns its path. */
  make(name: string, mode = 0o755): string {
    const path = this.dir.dir(name);
    Deno.chmodSync(path, mode);
    return path;
  }

  /** Writes a file that belongs to root. Returns its path. */
  write(name: string, text: string, mode = 0o644): string {
    const path = this.dir.write(name, text);
    Deno.chmodSync(path, mode);
    return path;
  }

  /** Gives a file or directory to the neighbour. */
  give(name: string): void {
    Deno.chownSync(this.file(name), NEIGHBOUR, NEIGHBOUR);
  }

  /** Starts a monitor as root. */
  monitor(args: readonly string[], permissions: readonly string[] = ["-A"], wrap: readonly string[] = []): Program {
    const program = new Program([...wrap, ...toolCommand("monitor/mod.ts", permissions), ...args]);
    this.#started.push(program);
    return program;
  }

  /** Runs a shell script as the neighbour until it exits. Returns its output. */
  async attack(script: string): Promise<string> {
    const { stdout, stderr } = await run([...AS_NEIGHBOUR, "sh", "-c", script, "sh", this.dir.path]);
    return stdout + stderr;
  }

  /** Starts a shell script as the neighbour, which runs until the end of the scope. `$1` is the shared directory. */
  async attackOn(script: string): Promise<void> {
    await this.#begin(["sh", "-c", `echo attacking; exec >&2; ${script}`, "sh"]);
  }

  /** Starts Python code as the neighbour, which runs until the end of the scope. `argv[1]` is the shared directory. */
  async pythonOn(program: string): Promise<void> {
    await this.#begin([PYTHON ?? "python3", "-u", "-c", `import os; os.write(1, b"attacking")\n${program}`]);
  }

  /** Starts an attack, and waits until it is under way. */
  async #begin(words: readonly string[]): Promise<void> {
    const [command, ...args] = [...AS_NEIGHBOUR, ...words, this.dir.path];
    const options = { args, cwd: "/", stdin: "null", stdout: "piped", stderr: "null", detached: true } as const;
    const attack = new Deno.Command(command!, options).spawn();
    this.#attacks.push(attack);
    for await (const bytes of attack.stdout) if (new TextDecoder().decode(bytes).startsWith("attacking")) return;
    throw new Error(`The attack ended before it began: ${words[0]}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const attack of this.#attacks) {
      signalIfThere(-attack.pid, "SIGKILL");
      await attack.status;
    }
    for (const program of this.#started) {
      await program[Symbol.asyncDispose]();
      for (const [, pid] of program.lines.join("\n").matchAll(/, pid (\d+)$/gm)) signalIfThere(-Number(pid), "SIGKILL");
    }
    for (const { lines } of this.#started) await until("its cgroups are gone", () => removeCgroups(lines));
    // The kernel may still finish what an attack began.
    await until("the place is removed", () => {
      try {
        this.dir[Symbol.dispose]();
        return true;
      } catch {
        return false;
      }
    });
  }
}

/** Returns a config that leaves a mark if it is run. */
export function marking(mark: string): string {
  return JSON.stringify({ args: ["/bin/sh", "-c", `echo ran >> '${mark}'; exec sleep 1000`] });
}

/** Returns the names of the files in a directory, without the monitor's lock. */
export function filesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].filter(({ isFile, name }) => isFile && name !== ".lock").map(({ name }) => name);
}

/** Returns the text of each file in a directory that does not change meanwhile, without the monitor's lock. */
export function contents(path: string): Record<string, string> {
  return Object.fromEntries(filesIn(path).map((name) => [name, Deno.readTextFileSync(join(path, name))]));
}
