/**
 * A small program that tests run in a mount namespace or as another user. It finds out what each config lacks, starts
 * each config, and prints the results.
 *
 * @module
 */

import { lackOf } from "../../host/children/surroundings.ts";
import process from "node:process";
import { sample } from "../core/samples.ts";
import { Trial } from "./children.ts";

/** What the program does. */
export interface Order {
  /** The group to become. */
  readonly gid?: number;
  /** The user to become. */
  readonly uid?: number;
  /** The configs to check. */
  readonly lacks?: readonly Record<string, unknown>[];
  /** The configs to start, one after another. */
  readonly starts?: readonly (Record<string, unknown> & { readonly args: readonly string[] })[];
}

/** What the program prints. */
export interface Report {
  /** The lack of each config. */
  readonly lacks: readonly ReturnType<typeof lackOf>[];
  /** What became of each child. */
  readonly starts: readonly { readonly stdout: string; readonly stderr: string; readonly events: readonly string[] }[];
  /** The umask of the program at its end. */
  readonly umask: number;
}

if (import.meta.main) {
  const { uid, gid, lacks = [], starts = [] }: Order = JSON.parse(Deno.args[0]!);
  if (gid !== undefined) process.setgid?.(gid);
  if (uid !== undefined) process.setuid?.(uid);
  const results = [];
  for (const config of starts) {
    await using trial = new Trial(config.args, config);
    if (trial.child !== null) await trial.result();
    results.push({ ...trial.text, events: trial.events });
  }
  const report: Report = {
    lacks: lacks.map((config) => lackOf(sample("web", config))),
    starts: results,
    umask: Deno.umask(),
  };
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report)));
}
