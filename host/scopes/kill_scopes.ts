import { type KillScope, type Limits, SCOPE_WIDTHS } from "@ncolony/core";
import { describeError } from "../deno_errors.ts";
import type { Clock } from "../types.ts";
import { CgroupScope } from "./cgroup_scope.ts";
import { Cgroups } from "./cgroups.ts";
import type { Cgroup } from "./cgroup.ts";
import { isExecutable } from "./shell.ts";
import { mayReadProc } from "./proc_view.ts";
import { ProcessScans } from "./process_scans.ts";
import { GroupScope, type Leader, ProcessScope, type Scope } from "./scope.ts";
import { SessionScope } from "./session_scope.ts";

/** The options of {@linkcode KillScopes}. */
export interface KillScopesOptions {
  /** The time. */
  readonly clock: Clock;
  /** What identifies the colony on this machine. Without it, no cgroups are used. */
  readonly colony?: string;
  /** The widest scope to use. @default {"cgroup"} */
  readonly widest?: Exclude<KillScope, "all">;
}

/** What a child asks for. */
export interface Wish {
  /** The name of its process. */
  readonly name: string;
  /** Which processes signals are sent to. */
  readonly killScope: KillScope;
  /** What it may use. */
  readonly limits: Limits;
  /** Whether only its cgroup shows that it still runs. */
  readonly daemonizes: boolean;
}

/** What {@linkcode KillScopes.start} returns. */
export interface Started<T> {
  /** What the action returned. */
  readonly result: T;
  /** The cgroup of the child. Null if it has none of its own. */
  readonly cgroup: Cgroup | null;
}

/** The kill scopes that this machine offers. */
export class KillScopes {
  readonly #colony: string | undefined;
  readonly #scans: ProcessScans;
  /** Why a scope is not offered. */
  readonly #lacks = new Map<KillScope, string | null>();
  #cgroups: Cgroups | null = null;

  /** Creates the scopes of a machine. Without {@linkcode KillScopes.open} it offers no cgroups. */
  constructor({ clock, colony, widest = "cgroup" }: KillScopesOptions) {
    this.#colony = colony;
    this.#scans = new ProcessScans(clock);
    if (colony === undefined) this.#lacks.set("cgroup", "only the monitor uses cgroups");
    for (const scope of SCOPE_WIDTHS.slice(SCOPE_WIDTHS.indexOf(widest) + 1)) {
      this.#lacks.set(scope, `--kill-scope is ${widest}`);
    }
  }

  /** The cgroups of the children. Null if there are none. */
  get cgroups(): Cgroups | null {
    return this.#cgroups;
  }

  /** Moves this program into a cgroup of its own, if the machine has cgroups. */
  async open(): Promise<void> {
    if (this.#colony === undefined || this.#lacks.has("cgroup")) return;
    try {
      this.#cgroups = await Cgroups.open(this.#colony);
    } catch (error) {
      this.#lacks.set("cgroup", describeError(error));
    }
  }

  /** Describes the widest scope, and why it is not wider: `session (cgroup v2 is not mounted)`. */
  describe(): string {
    const widest = this.of("all");
    const wider = SCOPE_WIDTHS.slice(SCOPE_WIDTHS.indexOf(widest) + 1);
    const why = new Set(wider.map((scope) => this.whyNot(scope)));
    return `${widest} (${this.#cgroups?.path ?? [...why].join("; ")})`;
  }

  /** Returns why a scope is not offered; null if it is. */
  whyNot(scope: KillScope): string | null {
    if (scope === "session" && !this.#lacks.has(scope)) {
      this.#lacks.set(scope, canSeeSessions() ? null : "sessions cannot be seen without --allow-all, or sh and cat");
    }
    return this.#lacks.get(scope) ?? null;
  }

  /** Returns which scope `all` means here. Returns every other one unchanged. */
  of(scope: KillScope): Exclude<KillScope, "all"> {
    if (scope !== "all") return scope;
    return SCOPE_WIDTHS.findLast((scope) => this.whyNot(scope) === null) ?? "process";
  }

  /** Returns null if a child can be started now. Otherwise resolves when it can. */
  ready(): Promise<void> | null {
    return this.#cgroups?.ready() ?? null;
  }

  /**
   * Runs an action that starts a child. Returns what it returned, and the child's own cgroup, if it has one.
   *
   * @throws {Error} If the child cannot do without a cgroup, and cannot have one now.
   */
  start<T>({ name, killScope, limits, daemonizes }: Wish, action: () => T): Started<T> {
    if (this.#cgroups === null) return { result: action(), cgroup: null };
    const isNeeded = daemonizes || Object.keys(limits).length > 0;
    return this.#cgroups.start(this.of(killScope) === "cgroup" ? name : null, isNeeded, action);
  }

  /** Creates the scope of a child that was started. `warn` is called once if it is narrower than asked for. */
  scopeOf(leader: Leader, killScope: KillScope, cgroup: Cgroup | null, warn: (message: string) => void): Scope {
    switch (this.of(killScope)) {
      case "process":
        return new ProcessScope(leader);
      case "group":
        return new GroupScope(leader);
      case "session":
        return new SessionScope(leader, this.#scans, warn);
      case "cgroup": {
        const session = new SessionScope(leader, this.#scans, warn);
        if (cgroup !== null) return new CgroupScope(leader, cgroup, this.#cgroups!, session);
        warn(
          `it has no cgroup of its own: ${this.#cgroups?.fault ?? this.whyNot("cgroup")}; its session is ended instead`,
        );
        return session;
      }
    }
  }
}

function canSeeSessions(): boolean {
  if (Deno.build.os !== "linux") return false;
  return mayReadProc() || ["/bin/sh", "/bin/cat"].every(isExecutable);
}
