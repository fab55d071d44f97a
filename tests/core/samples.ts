import { parseSpec, type Spec } from "@ncolony/core";

/** Returns a valid spec of this name. `config` adds keys to it, or replaces its `args`. */
export function sample(name: string, config: Record<string, unknown> = {}): Spec {
  return parseSpec(name, JSON.stringify({ args: ["true"], ...config }));
}

/** Freezes a value deeply, so that changing it throws. */
export function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
