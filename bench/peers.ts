import { existsSync } from "@std/fs/exists";
import { dirname, fromFileUrl, join } from "@std/path";
import { ownCgroup } from "../host/scopes/own_cgroup.ts";
import {
  Emptiest,
  EmptiestInCgroups,
  EmptiestLogs,
  EmptiestPrefixed,
  NColony,
  NColonyIn,
  NColonyPrefixed,
  NColonyStatus,
} from "./ncolony.ts";
import { hasCommand, run } from "./processes.ts";
import { Daemontools, Runit, S6 } from "./scan_dirs.ts";
import { Supervisor } from "./supervisor.ts";
import { Supervisord } from "./supervisord.ts";

/** A supervisor that can be measured. */
export interface Peer {
  /** Its name in tables and on the command line. */
  readonly name: string;
  /** How it is controlled, for the reader of the table. */
  readonly note: string;
  /** Its Debian package, whose version is printed. */
  readonly package?: string;
  /** Whether it takes part in a measure. @default {all measures} */
  readonly takes?: (measure: string) => boolean;
  /** The command that must be installed. */
  readonly command: string;
  /** Creates a supervisor in a subdirectory of `parent`. */
  readonly make: (parent: string) => Supervisor;
}

const PM2 = [join(dirname(dirname(fromFileUrl(import.meta.url))), "node_modules", ".bin", "pm2"), "pm2"];

class Pm2 extends Supervisor {
  readonly #apps: object[] = [];

  prepare(): void {
    Deno.mkdirSync(this.path("pm2"));
  }

  override env(): Record<string, string> {
    return { PM2_HOME: this.path("pm2") };
  }

  command(): string[] {
    this.write("apps.json", JSON.stringify({ apps: this.#apps }));
    return [pm2(), "start", this.path("apps.json")];
  }

  override async started(process: Deno.ChildProcess): Promise<void> {
    await process.status;
  }

  override root(): number | undefined {
    const pid = this.path("pm2", "pm2.pid");
    return existsSync(pid) ? Number(Deno.readTextFileSync(pid)) : undefined;
  }

  configure(name: string, [script, ...args]: readonly string[]): void {
    this.#apps.push({ name, script, args, interpreter: "none", exec_mode: "fork" });
  }

  override async activate(name: string): Promise<void> {
    this.write("apps.json", JSON.stringify({ apps: this.#apps }));
    await run([pm2(), "start", this.path("apps.json"), "--only", name], this.env());
  }

  async restart(name: string): Promise<void> {
    await run([pm2(), "restart", name], this.env());
  }

  logFile(name: string): string {
    return this.path("pm2", "logs", `${name}-out.log`);
  }
}

const isLog = (measure: string) => measure === "log";

/** All known peers. */
export const PEERS: readonly Peer[] = [
  {
    name: "ncolony",
    note: "with `--logs DIR`; configs and messages are files, renamed into place",
    command: Deno.execPath(),
    make: (parent) => new NColony(parent),
  },
  {
    name: "ncolony-session",
    note: "the same with `--kill-scope session`: without cgroups",
    takes: (measure) => !isLog(measure),
    command: Deno.execPath(),
    make: (parent) => new NColonyIn(parent, "session"),
  },
  {
    name: "ncolony-group",
    note: "the same with `--kill-scope group`",
    takes: (measure) => !isLog(measure),
    command: Deno.execPath(),
    make: (parent) => new NColonyIn(parent, "group"),
  },
  {
    name: "ncolony-status",
    note: "the same with `--status DIR`",
    takes: (measure) => !isLog(measure),
    command: Deno.execPath(),
    make: (parent) => new NColonyStatus(parent),
  },
  {
    name: "ncolony-stdout",
    note: "the same without `--logs`: each line goes to stdout with the name of its process; stdout is a file",
    takes: isLog,
    command: Deno.execPath(),
    make: (parent) => new NColonyPrefixed(parent),
  },
  {
    name: "emptiest",
    note: "the smallest Deno program that could do the work: `bench/emptiest.ts`",
    takes: (measure) => !isLog(measure),
    command: Deno.execPath(),
    make: (parent) => new Emptiest(parent),
  },
  {
    name: "emptiest-cgroup",
    note: "the same with a cgroup for each process",
    takes: (measure) => !isLog(measure) && hasCgroups(),
    command: Deno.execPath(),
    make: (parent) => new EmptiestInCgroups(parent),
  },
  {
    name: "emptiest-logs",
    note: "the smallest Deno program that could write log files: `bench/emptiest_logs.ts`",
    takes: isLog,
    command: Deno.execPath(),
    make: (parent) => new EmptiestLogs(parent),
  },
  {
    name: "emptiest-stdout",
    note: "the smallest Deno program that could write lines with names: `bench/emptiest_lines.ts`",
    takes: isLog,
    command: Deno.execPath(),
    make: (parent) => new EmptiestPrefixed(parent),
  },
  {
    name: "supervisord",
    note: "controlled over XML-RPC",
    package: "supervisor",
    command: "supervisord",
    make: (parent) => new Supervisord(parent),
  },
  {
    name: "runit",
    note: "controlled through `supervise/control`; scans for new services every 5 s; svlogd",
    package: "runit",
    command: "runsvdir",
    make: (parent) => new Runit(parent),
  },
  {
    name: "s6",
    note: "controlled with `s6-svscanctl -a` and `s6-svc -r`; s6-log",
    package: "s6",
    command: "s6-svscan",
    make: (parent) => new S6(parent),
  },
  {
    name: "daemontools",
    note: "controlled with `svc -t`; scans for new services every 5 s; multilog, which syncs every 16 MB",
    package: "daemontools",
    command: "svscan",
    make: (parent) => new Daemontools(parent),
  },
  {
    name: "pm2",
    note: "controlled with its CLI, which starts Node each time",
    command: pm2(),
    make: (parent) => new Pm2(parent),
  },
];

/** Returns the measures in which a peer takes part. */
export function measuresOf({ takes = () => true }: Peer, names: Iterable<string>): string[] {
  return [...names].filter(takes);
}

/** Returns the peers that are installed. */
export async function installed(peers: readonly Peer[]): Promise<Peer[]> {
  const found = await Promise.all(peers.map(({ command }) => hasCommand(command)));
  return peers.filter((_, i) => found[i]);
}

function hasCgroups(): boolean {
  try {
    ownCgroup();
    return true;
  } catch {
    // There is no cgroup v2, or it cannot be used.
    return false;
  }
}

function pm2(): string {
  return PM2.find((path) => existsSync(path)) ?? "pm2";
}
