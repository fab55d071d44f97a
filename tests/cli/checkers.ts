import { type Message, parseMessage } from "@ncolony/core";
import { join } from "@std/path";
import { type TempDir, tempDir } from "../helpers.ts";
import { Program } from "./program.ts";
import { namesIn, place, timeOf, toolCommand } from "./tools.ts";

/** A program that checks processes. */
export type Tool = "beatcheck" | "httpcheck";

/** The directories of a monitor whose part the test plays: `using ground = new Ground()`. */
export class Ground implements Disposable {
  /** A directory for all files of the test. */
  readonly dir: TempDir = tempDir();
  /** The config directory. */
  readonly config: string = this.dir.dir("config");
  /** The messages directory. */
  readonly messages: string = this.dir.dir("messages");

  /** The options that name the two directories. */
  get places(): string[] {
    return ["--config", this.config, "--messages", this.messages];
  }

  /** Writes a config file by rename. */
  put(name: string, config: unknown): void {
    place(this.config, name, typeof config === "string" ? config : JSON.stringify(config));
  }

  /** Removes a config file. */
  remove(name: string): void {
    Deno.removeSync(join(this.config, name));
  }

  /** Returns the names of the processes that unread messages ask to restart, in the order in which they were sent. */
  requests(): string[] {
    return this.#unread().map((file) => nameIn(this.#read(file)));
  }

  /** Takes all requests as the monitor does, or those for one process. Returns their number. */
  take(name?: string): number {
    const taken = this.#unread().filter((file) => name === undefined || nameIn(this.#read(file)) === name);
    for (const file of taken) Deno.removeSync(join(this.messages, file));
    return taken.length;
  }

  #unread(): string[] {
    return namesIn(this.messages).filter((file) => !file.startsWith(".") && !file.endsWith(".new"));
  }

  #read(file: string): Message {
    return parseMessage(file, Deno.readTextFileSync(join(this.messages, file)));
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

function nameIn(message: Message): string {
  return "name" in message ? message.name : message.type;
}

/** Options of a {@linkcode Checker}. */
export interface CheckerOptions {
  /** Its options, in addition to the directories. */
  readonly args?: readonly string[];
  /** Its permissions. */
  readonly permissions?: readonly string[];
  /** Variables for its environment, over the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A real beatcheck or httpcheck. `await using` ends it. */
export class Checker extends Program {
  readonly #ground: Ground;
  #fences = 0;

  /** Starts the checker. It scans often unless `args` say otherwise. */
  constructor(tool: Tool, ground: Ground, options: CheckerOptions = {}) {
    const { args = ["--freq", "0.05"], env = {}, permissions = permissionsOf(tool) } = options;
    super([...toolCommand(`${tool}/mod.ts`, permissions), ...ground.places, ...args], { env });
    this.#ground = ground;
  }

  /** Waits until it is ready. */
  async ready(): Promise<void> {
    await this.waitFor(/INFO ncolony-\w+ \S+ on /);
  }

  /**
   * Waits until it has asked n times for a process's restart. Returns when it logged that, in milliseconds since 1970.
   */
  async asked(name: string, nth = 1): Promise<number> {
    return timeOf((await this.waitFor(new RegExp(`WARN ${name}: .*: asked for a restart$`), nth)).input);
  }

  /** Returns how often it asked for a process's restart. */
  timesAsked(name: string): number {
    return this.count(new RegExp(`WARN ${name}: .*: asked for a restart$`));
  }

  /**
   * Resolves when beatcheck has judged all hearts that existed before: by then it has asked for the fence's restart.
   */
  async fence(): Promise<void> {
    const name = `fence-${this.process.pid}-${this.#fences++}`;
    this.#ground.put(name, silent({ period: 0.01, grace: 0, status: this.#ground.dir.file("no-heart") }));
    await this.asked(name);
    this.#ground.remove(name);
    this.#ground.take(name);
  }
}

/** Returns a config of a process with a heart, which the test may beat. */
export function silent(beat: { period: number; grace: number; status: string }): Record<string, unknown> {
  return { args: ["cat"], "ncolony.beatcheck": beat };
}

/** Returns the permissions of a checker, as its task has them. */
function permissionsOf(tool: Tool): string[] {
  const common = ["--allow-read", "--allow-write", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"];
  return tool === "httpcheck" ? [...common, "--allow-net=127.0.0.1"] : common;
}
