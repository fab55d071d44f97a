import { existsSync } from "@std/fs/exists";
import { dirname, fromFileUrl, join } from "@std/path";
import { ownCgroup } from "../host/scopes/own_cgroup.ts";
import { PERMISSIONS, V8_FLAGS } from "../tools/permissions.ts";
import { run } from "./processes.ts";
import { Supervisor } from "./supervisor.ts";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** This project's monitor, with a log file for each process. */
export class NColony extends Supervisor {
  #sent = 0;

  prepare(): void {
    for (const name of ["config", "messages", "logs"]) Deno.mkdirSync(this.path(name));
    // Copy Deno: pages of a file that this benchmark maps too would count only in part.
    const deno = this.#deno();
    if (!existsSync(deno)) Deno.copyFileSync(Deno.execPath(), deno);
  }

  command(): string[] {
    return [...this.tool("monitor"), ...this.logOptions()];
  }

  override async restartByCommand(name: string): Promise<void> {
    await run([...this.tool("ctl"), "restart", name]);
  }

  /** Returns a command line that runs a program with Deno. */
  protected deno(flags: readonly string[], program: string): string[] {
    return [this.#deno(), "run", "--no-remote", "--no-npm", "--no-prompt", V8_FLAGS, ...flags, program];
  }

  logOptions(): string[] {
    return ["--logs", this.path("logs"), "--log-size", "1G"];
  }

  configure(name: string, argv: readonly string[]): void {
    this.write(`config/${name}`, JSON.stringify({ args: argv }));
  }

  restart(name: string): void {
    this.write(`messages/${this.#sent++}`, JSON.stringify({ type: "RESTART", name }));
  }

  logFile(name: string): string {
    return this.path("logs", `${name}.log`);
  }

  /** Returns the command line of a tool, of its bundle if there is one. */
  protected tool(name: "monitor" | "ctl"): string[] {
    const bundle = join(ROOT, "dist", `ncolony-${name}.js`);
    const isBundled = existsSync(bundle);
    const flags = [isBundled ? "--no-config" : "--frozen", ...PERMISSIONS[name]];
    const program = isBundled ? bundle : join(ROOT, name, "mod.ts");
    return [...this.deno(flags, program), "--config", this.path("config"), "--messages", this.path("messages")];
  }

  #deno(): string {
    return join(dirname(this.home), "deno");
  }
}

/** This project's monitor, with a narrower kill scope than this machine offers. */
export class NColonyIn extends NColony {
  readonly #scope: string;

  constructor(parent: string, scope: "group" | "session") {
    super(parent);
    this.#scope = scope;
  }

  override command(): string[] {
    return [...super.command(), "--kill-scope", this.#scope];
  }
}

/** This project's monitor, with a status directory. */
export class NColonyStatus extends NColony {
  override command(): string[] {
    return [...super.command(), "--status", this.path("status")];
  }

  /** Returns the command line of a ctl that reads the status directory. */
  ctl(...words: readonly string[]): string[] {
    return [...this.tool("ctl"), "--status", this.path("status"), ...words];
  }

  /** Returns the command line of an empty program. */
  nothing(): string[] {
    this.write("nothing.js", "");
    return this.deno(["--no-config", ...PERMISSIONS.ctl], this.path("nothing.js"));
  }
}

/** This project's monitor, with the output of all processes in one stream, each line with the name of its process. */
export class NColonyPrefixed extends NColony {
  override logOptions(): string[] {
    return [];
  }

  override logFile(): string {
    return this.path("output", "log");
  }
}

/** The smallest program that could do the work. */
export class Emptiest extends NColony {
  override command(): string[] {
    return [...this.empty("emptiest.ts", "--allow-run"), this.path("config"), this.path("messages")];
  }

  override async restartByCommand(name: string): Promise<void> {
    await run([...this.empty("emptiest_ctl.ts", "--allow-write"), this.path("messages"), name]);
  }

  /** Returns a command line that runs one of the smallest programs. */
  protected empty(file: string, ...permissions: readonly string[]): string[] {
    return this.deno(["--no-config", "--allow-read", ...permissions], join(ROOT, "bench", file));
  }
}

/** The smallest program that could do the work with a cgroup for each process. */
export class EmptiestInCgroups extends Emptiest {
  readonly #cgroup = ownCgroup().child(`ncolony-bench-${crypto.randomUUID()}`);

  override prepare(): void {
    super.prepare();
    this.#cgroup.create();
  }

  override command(): string[] {
    const program = this.deno(["--no-config", "--allow-all"], join(ROOT, "bench", "emptiest.ts"));
    return [...program, this.path("config"), this.path("messages"), this.#cgroup.path];
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.#cgroup.remove();
  }
}

/** The smallest program that could write each line with the name of its process. */
export class EmptiestPrefixed extends Emptiest {
  override command(): string[] {
    return [...this.empty("emptiest_lines.ts", "--allow-run"), this.path("config")];
  }

  override logFile(): string {
    return this.path("output", "log");
  }
}

/** The smallest program that could write a log file for each process. */
export class EmptiestLogs extends Emptiest {
  override command(): string[] {
    return [...this.empty("emptiest_logs.ts", "--allow-run", "--allow-write"), this.path("config"), this.path("logs")];
  }
}
