import { joinRequests, type Message, quotedName, type Request, requestOf, shownText } from "@ncolony/core";

/** A message that was read. */
export interface ReadMessage {
  /** The name of its file. */
  readonly file: string;
  /** What it asks for. */
  readonly message: Message;
}

/** Returns what messages ask of each process that they are meant for. */
export function requestsOf(
  judged: Iterable<readonly [read: ReadMessage, names: readonly string[]]>,
): ReadonlyMap<string, Request> {
  const requests = new Map<string, Request>();
  for (const [{ file, message }, names] of judged) {
    const request = requestOf(file, message);
    for (const name of names) {
      const other = requests.get(name);
      requests.set(name, other === undefined ? request : joinRequests(other, request));
    }
  }
  return requests;
}

/** Describes a message for the log: `message "1": RESTART "web" (httpcheck: 3 bad answers)`. */
export function describeMessage({ file, message }: ReadMessage): string {
  const asked = message.type === "RESTART" ? message.name : message.type === "RESTART-GROUP" ? message.group : "";
  const origin = [message.from, message.reason].filter((text) => text !== undefined).map(shownText).join(": ");
  const of = asked === "" ? "" : ` ${quotedName(asked)}`;
  return `message ${quotedName(file)}: ${message.type}${of}${origin === "" ? "" : ` (${origin})`}`;
}
