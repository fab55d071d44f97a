import type { Message, Spec } from "./types.ts";

/**
 * Returns the names of the processes that a message is meant for. Disabled processes are left out.
 *
 * @param message The request.
 * @param specs The specs in force.
 */
export function route(message: Message, specs: ReadonlyMap<string, Spec>): string[] {
  const isMeant = (spec: Spec) => {
    switch (message.type) {
      case "RESTART":
        return spec.name === message.name;
      case "RESTART-GROUP":
        return spec.groups.includes(message.group);
      case "RESTART-ALL":
        return true;
    }
  };
  const named = message.type === "RESTART" ? [specs.get(message.name)] : [...specs.values()];
  return named.filter((spec) => spec?.enabled && isMeant(spec)).map((spec) => spec!.name);
}
