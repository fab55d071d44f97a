import { faultOf } from "../deno_errors.ts";
import type { Cgroup } from "./cgroup.ts";

/** The kernel's controllers, each of which limits a resource of cgroups. */
export type Controller = "cpu" | "memory" | "pids";

/** Enables controllers for the children's cgroups. Each must be enabled in all cgroups above. */
export class Controllers {
  readonly #above: readonly Cgroup[];
  readonly #usable = new Set<Controller>();
  readonly #enabled: { readonly cgroup: Cgroup; readonly controller: Controller }[] = [];

  /** Creates an instance for the cgroups in the last one of `above`. Nothing is enabled yet. */
  constructor(above: readonly Cgroup[]) {
    this.#above = above;
  }

  /** Enables a controller. Returns why it cannot be used; null if it can. */
  enable(controller: Controller): string | null {
    if (this.#usable.has(controller)) return null;
    for (const cgroup of this.#above) {
      const fault = this.#enableIn(cgroup, controller);
      if (fault !== null) return fault;
    }
    this.#usable.add(controller);
    return null;
  }

  /** Returns whether a controller is enabled. */
  isEnabled(controller: Controller): boolean {
    return this.#usable.has(controller);
  }

  /** Disables what was enabled, because a cgroup whose children have controllers cannot hold processes. */
  release(): void {
    for (const { cgroup, controller } of this.#enabled.splice(0).toReversed()) {
      try {
        cgroup.write("cgroup.subtree_control", `-${controller}`);
      } catch {
        // A cgroup below uses it.
      }
    }
    this.#usable.clear();
  }

  #enableIn(cgroup: Cgroup, controller: Controller): string | null {
    try {
      if (!cgroup.words("cgroup.controllers").includes(controller)) {
        return `the ${controller} controller is not available in ${cgroup.path}`;
      }
      if (cgroup.words("cgroup.subtree_control").includes(controller)) return null;
      cgroup.write("cgroup.subtree_control", `+${controller}`);
      this.#enabled.push({ cgroup, controller });
      return null;
    } catch (error) {
      return `the ${controller} controller cannot be enabled in ${cgroup.path}: ${faultOf(error)}`;
    }
  }
}
