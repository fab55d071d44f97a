import { shownText } from "./shown.ts";
import type { HistoryEvent, Status } from "./status.ts";
import type { Exit } from "./types.ts";

/** The fields that a JSON line of the log has for a process. Undefined: the line lacks the field. */
export interface LogFields {
  /** What happened, as the history of the process names it: `stop-requested`. */
  readonly event?: string | undefined;
  /** The state of the process since then, as its status names it. */
  readonly state?: string | undefined;
  /** The number of its last start. */
  readonly incarnation?: number | undefined;
  /** The code that it exited with. */
  readonly exit_code?: number | undefined;
  /** The signal that ended it. */
  readonly signal?: string | undefined;
  /** Why it could not be started, or why it is unknown how it exited. */
  readonly exit_reason?: string | undefined;
  /** Who sent the message that asked for it. */
  readonly from?: string | undefined;
  /** Why, as the message says. */
  readonly reason?: string | undefined;
}

/**
 * Returns the fields of a line about a process.
 *
 * @param status What is known about the process now.
 * @param happened What the line is about, if its history tells that.
 *
 * @example
 * ```ts
 * import { logFields, newStatus } from "@ncolony/core";
 *
 * const status = { ...newStatus("web", 0), state: "killing", incarnation: 7 } as const;
 * const line = JSON.stringify(logFields(status, { event: "killed" }));
 * if (line !== '{"event":"killed","state":"killing","incarnation":7}') throw new Error("unexpected");
 * ```
 */
export function logFields({ state, incarnation }: Status, happened?: HistoryEvent): LogFields {
  const cause = happened !== undefined && "cause" in happened ? happened.cause : null;
  return {
    event: happened?.event,
    state,
    incarnation: incarnation === 0 ? undefined : incarnation,
    ...(happened?.event === "exited" ? exitFields(happened.last.exit) : {}),
    ...(cause?.kind === "message" ? originFields(cause) : {}),
  };
}

function exitFields(exit: Exit): LogFields {
  switch (exit.type) {
    case "code":
      return { exit_code: exit.code };
    case "signal":
      return { signal: exit.signal };
    case "failed":
    case "unknown":
      return { exit_reason: shownText(exit.reason) };
  }
}

/** Returns the fields that tell who sent a message, and why, if the message says so. */
export function originFields(
  { from, reason }: { readonly from?: string | null; readonly reason?: string | null },
): LogFields {
  return { from: from ?? undefined, reason: reason ?? undefined };
}
