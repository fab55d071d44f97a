import { parseMessage, type ProcessEvent, type Spec } from "@ncolony/core";
import { type CheckParts, Lives, messageDirectory, RestartRequests, SILENT_LOG } from "@ncolony/host";
import { sample } from "../core/samples.ts";
import { tempDir } from "../helpers.ts";
import { FakeHost } from "../monitor/fake_host.ts";

/** What takes the events of processes. */
interface Events {
  onEvent(name: string, event: ProcessEvent): void;
}

/** What a check works with: configs and a clock in memory, messages and whatever else in a real directory. */
export class CheckWorld implements Disposable {
  readonly dir = tempDir();
  readonly messages = this.dir.dir("messages");
  readonly host = new FakeHost();
  readonly clock = this.host.clock;
  readonly log = this.host.log;
  readonly config = this.host.config;
  readonly parts: CheckParts;
  /** How often the check wanted to be called. */
  wakes = 0;
  readonly #specs = new Map<string, Spec>();

  /** Makes one; with the monitor's directory of pid files, where there is one. */
  constructor(pids: string | null = null) {
    const { clock, log } = this;
    const requests = new RestartRequests({
      messagesDirectory: messageDirectory(this.messages),
      specs: this.#specs,
      log,
    });
    const directory = this.config.port;
    // That nobody tells of lives is no news to most tests.
    const lives = new Lives(pids, clock, pids === null ? SILENT_LOG : log);
    this.parts = { clock, log, directory, lives, specs: this.#specs, requests, wake: () => this.wakes++ };
  }

  /** Writes a config, now, and tells of it. */
  want(check: Events, name: string, config: Record<string, unknown>): void {
    const spec = sample(name, config);
    this.config.write(name, spec.source);
    this.#specs.set(name, spec);
    check.onEvent(name, { type: "wanted", spec });
  }

  /** Removes a config, and tells of it. */
  drop(check: Events, name: string): void {
    this.config.remove(name);
    this.#specs.delete(name);
    check.onEvent(name, { type: "unwanted" });
  }

  /** Whose restart is asked for, in this order. */
  get asked(): string[] {
    const files = [...Deno.readDirSync(this.messages)].map(({ name }) => name).sort();
    return files.map((file) => {
      const message = parseMessage(file, Deno.readTextFileSync(`${this.messages}/${file}`));
      return message.type === "RESTART" ? message.name : message.type;
    });
  }

  /** Reads the messages as a monitor does; gives whose restart they ask for. */
  takeAsked(): string[] {
    const { asked } = this;
    for (const { name } of Deno.readDirSync(this.messages)) Deno.removeSync(`${this.messages}/${name}`);
    return asked;
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}
