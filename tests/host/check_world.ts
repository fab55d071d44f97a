import { parseMessage, type ProcessEvent, type Spec } from "@ncolony/core";
import { type CheckParts, HealthReports, Lives, messageDirectory, RestartRequests, SILENT_LOG } from "@ncolony/host";
import { sample } from "../core/samples.ts";
import { tempDir } from "../helpers.ts";
import { FakeHost } from "../monitor/fake_host.ts";

/** Takes the events of processes. */
interface Events {
  onEvent(name: string, event: ProcessEvent): void;
}

/** The world of a check: configs and a clock in memory, messages and other files in a real directory. */
export class CheckWorld implements Disposable {
  readonly dir = tempDir();
  readonly messages = this.dir.dir("messages");
  readonly host = new FakeHost();
  readonly clock = this.host.clock;
  readonly log = this.host.log;
  readonly config = this.host.config;
  readonly parts: CheckParts;
  /** How often the check asked to be called. */
  wakes = 0;
  readonly #specs = new Map<string, Spec>();

  /** Creates a world, with the monitor's pid directory if there is one. */
  constructor(pids: string | null = null) {
    const { clock, log } = this;
    const requests = new RestartRequests({
      messagesDirectory: messageDirectory(this.messages),
      specs: this.#specs,
      from: "check",
      incarnationOf: () => null,
      log,
    });
    const directory = this.config.port;
    // Most tests have no pid directory, and ignore the warning about that.
    const lives = new Lives(pids, () => null, clock, pids === null ? SILENT_LOG : log);
    const health = new HealthReports({ status: null, name: "check", clock, log });
    this.parts = { clock, log, directory, lives, specs: this.#specs, requests, health, wake: () => this.wakes++ };
  }

  /** Writes a config now, and reports it. */
  want(check: Events, name: string, config: Record<string, unknown>): void {
    const spec = sample(name, config);
    this.config.write(name, spec.source);
    this.#specs.set(name, spec);
    check.onEvent(name, { type: "wanted", spec });
  }

  /** Removes a config, and reports that. */
  drop(check: Events, name: string): void {
    this.config.remove(name);
    this.#specs.delete(name);
    check.onEvent(name, { type: "unwanted" });
  }

  /** The names of the processes whose restart is asked for, in this order. */
  get asked(): string[] {
    const files = [...Deno.readDirSync(this.messages)].map(({ name }) => name).sort();
    return files.map((file) => {
      const message = parseMessage(file, Deno.readTextFileSync(`${this.messages}/${file}`));
      return message.type === "RESTART" ? message.name : message.type;
    });
  }

  /** Removes the messages as a monitor does. Returns the names of the processes whose restart they ask for. */
  takeAsked(): string[] {
    const { asked } = this;
    for (const { name } of Deno.readDirSync(this.messages)) Deno.removeSync(`${this.messages}/${name}`);
    return asked;
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}
