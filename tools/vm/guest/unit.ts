import { lstat } from "../../../host/files/lstat.ts";
import { Program } from "../../../tests/cli/program.ts";
import { place } from "../../../tests/cli/tools.ts";
import { output, property } from "./system.ts";

/** The unit, its configs, and the cgroup that systemd gives it. */
export const NAME = "ncolony.service";
export const CONFIG = "/etc/ncolony";
export const OWN = `/sys/fs/cgroup/system.slice/${NAME}`;

/** The cgroup in which the monitor has those of its children. */
export const HOME = `${OWN}/ncolony:etc:ncolony`;

const DROP_IN = `/etc/systemd/system/${NAME}.d`;

/** The variables of a child that runs commands. */
export const ENV = { PATH: "/bin:/usr/bin" };

/** The unit of `deploy/`, as it runs, and its log. `await using` stops it, and restores it. */
export class Unit extends Program {
  /** The unit runs from now on. */
  private constructor() {
    // Without the first part, it would show the log of the units before.
    const since = `--since=@${(Date.now() / 1000).toFixed(3)}`;
    super(["journalctl", "--follow", "--lines=all", "--output=cat", since, "--unit", NAME]);
  }

  /**
   * Starts the unit.
   *
   * @param options.dropIn Lines for its section `[Service]`.
   * @param options.config Config files that exist before it starts.
   */
  static async start({ dropIn = "", config = {} }: UnitOptions = {}): Promise<Unit> {
    const unit = new Unit();
    try {
      for (const [name, content] of Object.entries(config)) unit.put(name, content);
      if (dropIn !== "") {
        Deno.mkdirSync(DROP_IN);
        Deno.writeTextFileSync(`${DROP_IN}/test.conf`, `[Service]\n${dropIn}\n`);
        await output("systemctl", "daemon-reload");
      }
      await output("systemctl", "start", NAME);
      return unit;
    } catch (error) {
      await unit[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits for the nth start of the monitor. Returns its kill scope. */
  async scope(nth = 1): Promise<string> {
    return (await this.waitFor(/ INFO ncolony-monitor .*, kill scope (.*)$/, nth))[1]!;
  }

  /** Returns the pid of the monitor. */
  async pid(): Promise<number> {
    return Number(await property(NAME, "MainPID"));
  }

  /** Writes a config file. */
  put(name: string, config: unknown): void {
    place(CONFIG, name, JSON.stringify(config));
  }

  /** Removes a config file, and waits until its process is gone. */
  async end(name: string): Promise<void> {
    Deno.removeSync(`${CONFIG}/${name}`);
    await this.waitFor(new RegExp(` ${name}: .* -> gone `));
  }

  /** Waits for the nth start of a process. Returns its pid. */
  async started(name: string, nth = 1): Promise<number> {
    return await this.numberIn(new RegExp(` ${name}: \\w+ -> running \\(.*\\), pid (\\d+)$`), nth);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    try {
      await output("systemctl", "stop", NAME);
    } finally {
      for (const { name } of Deno.readDirSync(CONFIG)) Deno.removeSync(`${CONFIG}/${name}`);
      if (lstat(DROP_IN) !== null) {
        Deno.removeSync(DROP_IN, { recursive: true });
        await output("systemctl", "daemon-reload");
      }
      await super[Symbol.asyncDispose]();
    }
  }
}

/** How the unit is started. */
export interface UnitOptions {
  readonly dropIn?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Returns the cgroup of a process. @throws {Error} If it has none. */
export function cgroupOfProcess(name: string, home: string = HOME): string {
  const id = cgroupsIn(home).find((id) => lstat(`${home}/${id}/of:${name}`) !== null);
  if (id === undefined) throw new Error(`there is no cgroup of ${name}`);
  return `${home}/${id}`;
}

/** Returns the names of the cgroups below a directory. */
export function cgroupsIn(path: string): string[] {
  return [...Deno.readDirSync(path)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
}
