import { MAX_CONFIG_BYTES, parseBeat, parseHttpCheck, SpecError, type Status } from "@ncolony/core";
import type { StatusReader } from "@ncolony/host/read-tool";
import { mayRead, readLinkedFile } from "@ncolony/host/tool";

/** Parses the section of each checker in a config. */
const PARSERS = { beatcheck: parseBeat, httpcheck: parseHttpCheck } as const;

/** How long a checker may take to notice a config, by default, in milliseconds. */
const NOTICE_MS = 10_000;

/** The checks of processes, as far as their results are told. */
export class Checks {
  readonly #reader: StatusReader;
  readonly #config: string;
  /** The checkers that were seen alive. One that is restarted together with what it checks is still waited for. */
  readonly #seen = new Set<string>();

  /** Creates them before anything is asked for. */
  constructor(reader: StatusReader, config: string) {
    this.#reader = reader;
    this.#config = config;
    this.#look();
  }

  /** Whether each check of a process has found it healthy since its start. */
  areGood(status: Status): boolean {
    this.#look();
    const healths = this.#reader.healths(Object.keys(PARSERS), status);
    const asked = checksIn(this.#config, status.name);
    const due = asked === null ? [...healths.keys()] : [...asked.keys()];
    return due.every((checker) => {
      return !this.#seen.has(checker) && !healths.has(checker) || healths.get(checker)?.isHealthy === true;
    });
  }

  /** How long the first result of a process may take, in milliseconds. */
  firstResultMs(name: string): number {
    const asked = [...checksIn(this.#config, name) ?? []].filter(([checker]) => this.#seen.has(checker));
    return Math.max(0, ...asked.map(([, ms]) => ms));
  }

  #look(): void {
    for (const checker of this.#reader.checkers()) if (checker.isAlive) this.#seen.add(checker.name);
  }
}

/** Returns the checkers that a config asks for, and how long their first result may take. Null if it may not be read. */
function checksIn(config: string, name: string): ReadonlyMap<string, number> | null {
  const source = mayRead(config) ? readLinkedFile(config, name, MAX_CONFIG_BYTES) : null;
  if (source === null) return null;
  const found = Object.entries(PARSERS).flatMap(([checker, parse]): [string, number][] => {
    try {
      const check = parse(name, source);
      if (check === null) return [];
      return [[checker, NOTICE_MS + check.graceMs + check.periodMs + ("timeoutMs" in check ? check.timeoutMs : 0)]];
    } catch (error) {
      // The checker does not check it, either.
      if (error instanceof SpecError) return [];
      throw error;
    }
  });
  return new Map(found);
}
