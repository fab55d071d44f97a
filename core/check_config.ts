import { readBeat } from "./beat.ts";
import { extraKeys, type Oddity } from "./extra_keys.ts";
import type { Report } from "./fields.ts";
import { readHttpCheck } from "./http_check.ts";
import { type JsonObject, parseObject } from "./json.ts";
import { oddWords } from "./odd_words.ts";
import { placeOf } from "./place.ts";
import { checkText, readSpec } from "./spec.ts";
import type { Spec } from "./types.ts";

/** Something that a check found in a config. */
export interface Finding {
  /** Whether the config is not used because of it, or does something else than was probably meant. */
  readonly level: "problem" | "warning";
  /** The path of the key. Null: the text as a whole. */
  readonly field: string | null;
  /** The line, counted from 1. */
  readonly line: number;
  /** The column, counted from 1. */
  readonly column: number;
  /** What was found. It shows no value that may be secret. */
  readonly message: string;
}

/** What a check found, and the config as far as it is valid. */
export interface CheckedConfig {
  /** The findings, in the order of the text. */
  readonly findings: readonly Finding[];
  /** The config. Keys with problems are taken to be missing. Null if the text is no JSON object. */
  readonly spec: Spec | null;
}

/**
 * Checks a config by the parsers of all tools: the monitor, beatcheck and httpcheck. Finds every problem, not only the
 * first, and what is valid but looks like a mistake.
 *
 * @param name The name of the file, which becomes the name of the process.
 * @param source The text of the file.
 * @param nearest Returns the known word that a misspelt one most likely stands for.
 * @param more Finds more problems of the keys that are valid.
 *
 * @example
 * ```ts
 * import { checkConfig } from "@ncolony/core";
 *
 * const { findings } = checkConfig("web", '{"args": ["httpd"], "cwd": "/srv"}', (_, [first]) => first!);
 * if (findings[0]?.level !== "warning" || findings[0].column !== 21) throw new Error("unexpected");
 * ```
 */
export function checkConfig(
  name: string,
  source: string,
  nearest: (word: string, known: readonly string[]) => string,
  more: (spec: Spec) => readonly Oddity[] = () => [],
): CheckedConfig {
  const findings: Finding[] = [];
  const note = (level: Finding["level"], field: string | null, message: string) => {
    // One problem of a key can cause others.
    if (field !== null && findings.some((found) => found.field === field && found.level === level)) return;
    findings.push(findingAt(source, level, field, message));
  };
  const report: Report = (field, reason) => note("problem", field, reason);
  checkText(name, source, (field, message) => {
    findings.push({ level: "problem", field, line: 1, column: 1, message });
  });
  const config = parse(source, report);
  if (config === null) return { findings, spec: null };
  const spec = readSpec(name, source, config, report);
  readBeat(config, report);
  readHttpCheck(config, report);
  for (const { field, message } of more(spec)) report(field, message);
  for (const { field, message } of [...extraKeys(config, nearest), ...oddWords(spec)]) note("warning", field, message);
  return { findings: findings.sort((a, b) => a.line - b.line || a.column - b.column), spec };
}

function findingAt(source: string, level: Finding["level"], field: string | null, message: string): Finding {
  // A key that is missing would be in that object.
  const [, section] = /^(.+)\./s.exec(field ?? "") ?? [];
  const place = placeOf(source, field) ?? (section === undefined ? null : placeOf(source, section));
  return { level, field, ...place ?? { line: 1, column: 1 }, message };
}

function parse(source: string, report: Report): JsonObject | null {
  try {
    return parseObject(source, (reason) => new NotAnObject(reason));
  } catch (error) {
    if (!(error instanceof NotAnObject)) throw error;
    const { message: reason } = error;
    // The finding has the place.
    report(null, reason.replace(/ at line \d+, column \d+/, ""));
    return null;
  }
}

/** A text is no JSON object. */
class NotAnObject extends Error {}
