import { isEndedProcess } from "../deno_errors.ts";
import type { Cgroup } from "./cgroup.ts";
import { cgroupOf } from "./own_cgroup.ts";
import { readProcess } from "./proc.ts";
import type { Leader } from "./scope.ts";

/** Where systemd-logind lists all logins, in a file each. Only root may write it. */
const LOGINS = "/run/systemd/sessions";

/**
 * The logins that a child has opened. Under systemd, `su -c` opens one, and is moved into its cgroup,
 * `session-ID.scope`, out of that of the child.
 *
 * A login is the child's if the program that opened it is in the session of the child's leader. `su` stays there, and
 * only its command leaves it. sshd and login(1) begin a session of their own first, so a person's login is never the
 * child's.
 */
export class Logins {
  readonly #leader: Pick<Leader, "pid" | "hasExited">;
  readonly #directory: string;
  /** Those that were found and are not over. The program that opened one may exit before the others. */
  readonly #found = new Map<string, Cgroup>();

  /** Creates a list. `directory` is where all logins are listed. */
  constructor(leader: Pick<Leader, "pid" | "hasExited">, directory: string = LOGINS) {
    this.#leader = leader;
    this.#directory = directory;
  }

  /** Returns the cgroups of those that are not over. @throws {Error} If that cannot be seen now. */
  cgroups(): Cgroup[] {
    for (const cgroup of this.#search()) this.#found.set(cgroup.path, cgroup);
    for (const [path, cgroup] of this.#found) if (!cgroup.isPopulated) this.#found.delete(path);
    return [...this.#found.values()];
  }

  #search(): Cgroup[] {
    const names = namesIn(this.#directory);
    // Another program may have the pid, and with it the session.
    if (names.length === 0 || this.#leader.hasExited && readProcess(this.#leader.pid) !== null) return [];
    return names.map((name) => this.#cgroupOf(name)).filter((cgroup) => cgroup !== null);
  }

  /** Returns the cgroup of a login. Null if it is not the child's. */
  #cgroupOf(name: string): Cgroup | null {
    const text = orIfUnseen("", () => Deno.readTextFileSync(`${this.#directory}/${name}`));
    const [, scope] = /^SCOPE=(session-[^\s/]+\.scope)$/m.exec(text) ?? [];
    const [, pid] = /^LEADER=(\d+)$/m.exec(text) ?? [];
    if (scope === undefined || pid === undefined || readProcess(Number(pid))?.session !== this.#leader.pid) return null;
    const cgroup = cgroupIfSeen(pid);
    if (cgroup === null || !cgroup.path.endsWith(`/${scope}`)) return null;
    // Someone logged in to start this program.
    return `${cgroupOf("self").path}/`.startsWith(`${cgroup.path}/`) ? null : cgroup;
  }
}

/** Returns the logins that were opened from a session, whose leader may be gone. */
export function loginsOfSession(pid: number): Logins {
  const start = readProcess(pid)?.start;
  return new Logins({
    pid,
    get hasExited() {
      return readProcess(pid)?.start !== start;
    },
  });
}

function cgroupIfSeen(pid: string): Cgroup | null {
  try {
    return cgroupOf(pid);
  } catch {
    // It exited, or its cgroup is not in the mount that this program sees.
    return null;
  }
}

/** Returns the names of the regular files in a directory. There are FIFOs as well, whose readers would wait. */
function namesIn(directory: string): string[] {
  const entries = orIfUnseen([], () => [...Deno.readDirSync(directory)]);
  return entries.filter(({ isFile }) => isFile).map(({ name }) => name);
}

/** Returns what `read` returns, or `otherwise` if there is nothing, or this program may not see it. */
function orIfUnseen<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { NotFound, PermissionDenied } = Deno.errors;
    if (error instanceof NotFound || error instanceof PermissionDenied || isEndedProcess(error)) return otherwise;
    throw error;
  }
}
