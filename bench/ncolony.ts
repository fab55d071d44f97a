import { dirname, fromFileUrl, join } from "@std/path";
import { PERMISSIONS, V8_FLAGS } from "../tools/permissions.ts";
import { exists } from "./processes.ts";
import { Supervisor } from "./supervisor.ts";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));
const BUNDLE = join(ROOT, "dist", "ncolony-monitor.js");

/** This project's monitor, each process with a log file. */
export class NColony extends Supervisor {
  #sent = 0;

  prepare(): void {
    for (const name of ["config", "messages", "logs"]) Deno.mkdirSync(this.path(name));
    // Pages of a file that others map as well, as this benchmark does, would count only in part.
    const deno = this.#deno();
    if (!exists(deno)) Deno.copyFileSync(Deno.execPath(), deno);
  }

  command(): string[] {
    const isBundled = exists(BUNDLE);
    const flags = [isBundled ? "--no-config" : "--frozen", ...PERMISSIONS.monitor];
    const places = ["--config", this.path("config"), "--messages", this.path("messages")];
    return [...this.deno(flags, isBundled ? BUNDLE : join(ROOT, "monitor", "mod.ts")), ...places, ...this.logOptions()];
  }

  /** A command line that runs a program of Deno's. */
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

  #deno(): string {
    return join(dirname(this.home), "deno");
  }
}

/** The output of all processes in one stream, each line with its process's name. */
export class NColonyPrefixed extends NColony {
  override logOptions(): string[] {
    return [];
  }

  override logFile(): string {
    return this.path("output", "log");
  }
}

/** The emptiest program that could do it. */
export class Emptiest extends NColony {
  override command(): string[] {
    const program = join(ROOT, "bench", "emptiest.ts");
    return [
      ...this.deno(["--no-config", "--allow-read", "--allow-run"], program),
      this.path("config"),
      this.path("messages"),
    ];
  }
}
