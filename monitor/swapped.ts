import { MessageError, parseMessage, parseSpec, SpecError } from "@ncolony/core";
import type { MessagesDirectory } from "@ncolony/host";

/** The most files that are checked. */
const MAX_FILES = 100;

/** Finds a file in a messages directory that is a config and not a message. Returns its name, or null. */
export function findConfig(messagesDirectory: MessagesDirectory): string | null {
  const names = messagesDirectory.names();
  if ("fault" in names) return null;
  for (const name of names.slice(0, MAX_FILES)) {
    const entry = messagesDirectory.read(name)?.entry;
    if (entry !== undefined && "source" in entry && isConfig(name, entry.source)) return name;
  }
  return null;
}

function isConfig(name: string, source: string): boolean {
  return !parses(() => parseMessage(name, source)) && parses(() => parseSpec(name, source));
}

function parses(parse: () => void): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof MessageError || error instanceof SpecError) return false;
    throw error;
  }
}
