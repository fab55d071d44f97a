import type { Message, Spec } from "./types.ts";

/**
 * The names that a message is meant for, of those that are to run: none where it names what is unknown or disabled.
 *
 * @param message What was asked for.
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
