import { UsageError } from "@ncolony/core";
import { denoClock } from "@ncolony/host/read-tool";
import { lastValue, type ParsedArgs } from "@ncolony/host/tool";
import type { Wanted } from "./log_lines.ts";

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time in ISO 8601. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:([T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/** Reads which lines a command line asks for. @throws {UsageError} If an option is invalid. */
export function wantedBy(words: ParsedArgs): Wanted {
  const given = <T>(name: string, parse: (text: string) => T): T | null => {
    const text = lastValue(words, name);
    return text === undefined ? null : parse(text);
  };
  return {
    since: given("since", parseSince),
    stream: given("stream", parseStream),
    run: given("run", parseRun),
    grep: given("grep", parseExpression),
  };
}

/** Parses a time, in UTC if it names no zone, or how long ago it was: `2026-01-31T03:00:00Z`, `90s`, `10m`, `2h`, `1d`. */
function parseSince(text: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const [, date, clock = "T00:00:00", zone = "Z"] = TIME.exec(text) ?? [];
  const time = count === undefined
    ? Date.parse(`${date}${clock.replace(" ", "T")}${zone}`)
    : denoClock.wall() - Number(count) * UNITS_MS[unit!]!;
  if (!Number.isNaN(time)) return time;
  throw new UsageError("--since must be a time such as 2026-01-31T03:00:00Z, or how long ago, such as 10m or 2h");
}

function parseStream(text: string): "O" | "E" {
  if (text === "out") return "O";
  if (text === "err") return "E";
  throw new UsageError("--stream must be out or err");
}

function parseRun(text: string): number | "last" {
  if (text === "last") return text;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError("--run must be the number of a start, or last");
}

function parseExpression(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch (error) {
    throw new UsageError(`--grep must be a regular expression: ${(error as Error).message}`);
  }
}
