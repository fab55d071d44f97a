import type { Cause, ProcessEvent, StatusConfig } from "@ncolony/core";

/** The monitor starts, or ends. */
export const MONITOR: Cause = { kind: "monitor" };

/** The monitor starts, and stops what an earlier one left running. */
export const LEFTOVER: Cause = { kind: "monitor", reason: "an earlier monitor had left it running" };

/** Why an event was posted. */
export interface Why {
  /** Who or what asked for it. */
  readonly cause: Cause;
  /** Which start of the process it is meant for. Absent: whichever it is. */
  readonly incarnation?: number;
}

/** What happened to a process: an event, a change of its config, or the pid of a program that went to the background. */
export type Posted =
  & { readonly name: string }
  & (
    | { readonly event: ProcessEvent; readonly why?: Why }
    | { readonly config: StatusConfig }
    | { readonly pid: number }
  );
