import { type Message, parseMessage } from "@ncolony/core";
import { join } from "@std/path";
import { type TempDir, tempDir } from "../helpers.ts";
import { Program } from "./program.ts";
import { namesIn, place, toolCommand } from "./tools.ts";

/** A program that checks processes. */
export type Tool = "beatcheck" | "httpcheck";

/** The directories of a monitor that the test plays: `using ground = new Ground()`. */
export class Ground implements Disposable {
  /** A directory for everything that belongs to it. */
  readonly dir: TempDir = tempDir();
  /** Its config directory. */
  readonly config: string = this.dir.dir("config");
  /** Its messages directory. */
  readonly messages: string = this.dir.dir("messages");

  /** The options that say where it is. */
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

  /** The names whose restart is asked for in messages that nobody took, in the order in which they were sent. */
  requests(): string[] {
    return this.#unread().map((file) => nameIn(this.#read(file)));
  }

  /** Takes the requests as the monitor does: all, or those for one process; gives how many those were. */
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

/** How a checker is started. */
export interface CheckerOptions {
  /** Its options, besides the directories. */
  readonly args?: readonly string[];
  /** Its permissions. */
  readonly permissions?: readonly string[];
  /** Variables for its environment, over that of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A real beatcheck or httpcheck. `await using` ends it. */
export class Checker extends Program {
  readonly #ground: Ground;
  #fences = 0;

  /** Starts it; it looks often unless `args` say otherwise. */
  constructor(tool: Tool, ground: Ground, options: CheckerOptions = {}) {
    const { args = ["--freq", "0.05"], env = {}, permissions = permissionsOf(tool) } = options;
    super([...toolCommand(`${tool}/mod.ts`, permissions), ...ground.places, ...args], { env });
    this.#ground = ground;
  }

  /** Waits until it works. */
  async ready(): Promise<void> {
    await this.waitFor(/INFO ncolony-\w+ \S+ on /);
  }

  /** Waits for the nth time that it asked for a process's restart; gives when it said so, in milliseconds since 1970. */
  async asked(name: string, nth = 1): Promise<number> {
    return timeOf((await this.waitFor(new RegExp(`WARN ${name}: .*: asked for a restart$`), nth)).input);
  }

  /** How often it asked for a process's restart. */
  timesAsked(name: string): number {
    return this.count(new RegExp(`WARN ${name}: .*: asked for a restart$`));
  }

  /** Resolves when a beatcheck has judged all hearts by what was there before: by then it asked for the fence's restart. */
  async fence(): Promise<void> {
    const name = `fence-${this.process.pid}-${this.#fences++}`;
    this.#ground.put(name, silent({ period: 0.01, grace: 0, status: this.#ground.dir.file("no-heart") }));
    await this.asked(name);
    this.#ground.remove(name);
    this.#ground.take(name);
  }
}

/** A config whose process has a heart, which the test beats or not. */
export function silent(beat: { period: number; grace: number; status: string }): Record<string, unknown> {
  return { args: ["cat"], "ncolony.beatcheck": beat };
}

/** When a line was said, in milliseconds since 1970. */
export function timeOf(line: string): number {
  return Date.parse(line.slice(0, line.indexOf(" ")));
}

/** The permissions of a checker, as its task has them. */
function permissionsOf(tool: Tool): string[] {
  const common = ["--allow-read", "--allow-write", "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME"];
  return tool === "httpcheck" ? [...common, "--allow-net=127.0.0.1"] : common;
}
