import type { StopSignal } from "@ncolony/core";
import { faultOf } from "../deno_errors.ts";
import { membersOf, type ProcessInfo, zombiesIn } from "./proc.ts";
import type { ProcessScans } from "./process_scans.ts";
import { GroupScope, type Leader, type Scope, signalEach } from "./scope.ts";
import { whoIsLeft } from "./who_is_left.ts";

/** What a scan shows of a session. */
interface Session {
  /** Its processes that are no zombies. */
  readonly members: readonly ProcessInfo[];
  /** Whether none of them can be missing. */
  readonly isExact: boolean;
}

/**
 * All processes of the leader's session, whatever their group. They are found in /proc. If /proc cannot be read, only
 * the leader's group is known.
 */
export class SessionScope implements Scope {
  readonly kind = "session";
  readonly #leader: Leader;
  readonly #group: GroupScope;
  readonly #scans: Pick<ProcessScans, "next">;
  readonly #warn: (message: string) => void;
  #isBlind = false;

  /** Creates a scope. `warn` is called once if the session cannot be seen. */
  constructor(leader: Leader, scans: Pick<ProcessScans, "next">, warn: (message: string) => void) {
    this.#leader = leader;
    this.#group = new GroupScope(leader);
    this.#scans = scans;
    this.#warn = warn;
  }

  async signal(signal: StopSignal): Promise<void> {
    const { pid } = this.#leader;
    // Another program may have the id of the group by now, which only a scan shows.
    if (this.#leader.hasExited && isOver(await this.#scan())) return;
    // All at once, so that no member of the group can start a process in between.
    this.#group.signal(signal);
    const others = async () => (await this.#scan())?.members.filter(({ group }) => group !== pid) ?? [];
    await signalEach(async () => (await others()).map(({ pid }) => pid), signal);
  }

  async isEmpty(): Promise<boolean> {
    return isOver(await this.#scan()) ?? this.#group.isEmpty();
  }

  async hasLiveMember(): Promise<boolean> {
    const scan = await this.#scan();
    return scan === null ? this.#group.hasLiveMember() : scan.members.length > 0;
  }

  whoIsLeft(): string {
    return whoIsLeft(this.#leader.pid, () => membersOf("session", this.#leader.pid));
  }

  /** Resolves with the processes that are no zombies, or with null if they cannot be seen. */
  async #scan(): Promise<Session | null> {
    const { pid } = this.#leader;
    try {
      const { processes, isExact, oldZombies } = await this.#scans.next();
      // The pid of a leader that has exited is free for another program as soon as its session is empty.
      if (this.#leader.hasExited && processes.some((info) => info.pid === pid)) return { members: [], isExact: true };
      const all = processes.filter(({ session }) => session === pid);
      const members = all.filter(({ hasEnded }) => !hasEnded);
      return { members, isExact: isExact && zombiesIn(all).isSubsetOf(oldZombies) };
    } catch (error) {
      if (!this.#isBlind) {
        this.#warn(`cannot see the session of pid ${pid}: ${faultOf(error)}; only its process group is ended`);
      }
      this.#isBlind = true;
      return null;
    }
  }
}

/** Returns whether a session has no processes. Null if the scan does not tell. */
function isOver(scan: Session | null): boolean | null {
  if (scan === null) return null;
  if (scan.members.length > 0) return false;
  return scan.isExact ? true : null;
}
