import type { LogFields, RestartPolicy, Spec } from "@ncolony/core";
import type { ChildOutput, Log, PidFiles } from "@ncolony/host";
import type { TakenStep } from "./events.ts";
import type { Statuses } from "./statuses.ts";
import type { StopTime } from "./stop_time.ts";

/** What {@linkcode Supervisor} needs. */
export interface SupervisorOptions {
  /** The log. */
  readonly log: Log;
  /** Called after each step that must be reported, with the fields of its log line. */
  readonly onStep: (step: TakenStep, fields: LogFields) => void;
  /** The restart delays and the default kill time. */
  readonly policy: RestartPolicy;
  /** How long stopping everything may take. */
  readonly stopTime: StopTime;
  /** The pid files. */
  readonly pidFiles: PidFiles;
  /** What is known about each process. */
  readonly statuses: Statuses;
  /** Called when everything that a full scan found was acted on. */
  readonly onScanned: () => void;
  /** Creates what takes the output of a child. */
  readonly output: (spec: Spec) => ChildOutput;
}
