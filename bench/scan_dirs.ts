import { existsSync } from "@std/fs/exists";
import { join } from "@std/path";
import { run } from "./processes.ts";
import { Supervisor } from "./supervisor.ts";

/** A supervisor like daemontools: it scans a directory of links to service directories, each with a `run` script. */
abstract class ScanDir extends Supervisor {
  protected abstract readonly logger: string;

  prepare(): void {
    for (const name of ["scan", "logs"]) Deno.mkdirSync(this.path(name));
  }

  configure(name: string, argv: readonly string[]): void {
    this.write(`services/${name}/run`, `#!/bin/sh\nexec ${argv.join(" ")}\n`, 0o755);
    // Only the writer has a logger, which costs two processes.
    if (name === "writer") {
      this.write(`services/${name}/log/run`, `#!/bin/sh\nexec ${this.logger} ${this.path("logs", name)}\n`, 0o755);
      this.write(`logs/${name}/config`, "s0\n");
    }
    Deno.symlinkSync(this.path("services", name), this.path("scan", name));
  }

  logFile(name: string): string {
    return this.path("logs", name, "current");
  }
}

/** runit. */
export class Runit extends ScanDir {
  override readonly pollMs = 5000;
  protected readonly logger = "svlogd";

  command(): string[] {
    return ["runsvdir", this.path("scan")];
  }

  async restart(name: string): Promise<void> {
    // Like `sv restart`, but without waiting.
    await Deno.writeTextFile(this.path("services", name, "supervise", "control"), "t");
  }

  override async restartByCommand(name: string): Promise<void> {
    await run(["sv", "restart", this.path("scan", name)]);
  }

  override terminate(): void {
    this.signalRoot("SIGHUP");
  }
}

/** s6. */
export class S6 extends ScanDir {
  protected readonly logger = "s6-log n100 s268435455";

  command(): string[] {
    return ["s6-svscan", "-c", "2000", this.path("scan")];
  }

  override async activate(): Promise<void> {
    await run(["s6-svscanctl", "-a", this.path("scan")]);
  }

  async restart(name: string): Promise<void> {
    await run(["s6-svc", "-r", this.path("scan", name)]);
  }
}

/** daemontools. */
export class Daemontools extends ScanDir {
  override readonly pollMs = 5000;
  protected readonly logger = "multilog s16777215 n100";

  command(): string[] {
    return ["svscan", this.path("scan")];
  }

  async restart(name: string): Promise<void> {
    await run(["svc", "-t", this.path("scan", name)]);
  }

  override async terminate(): Promise<void> {
    this.signalRoot("SIGTERM");
    const services = [...Deno.readDirSync(this.path("scan"))].map(({ name }) => this.path("scan", name));
    await run([
      "svc",
      "-dx",
      ...services,
      ...services.map((path) => join(path, "log")).filter((path) => existsSync(path)),
    ]);
  }
}
