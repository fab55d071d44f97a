import { MAX_CONFIG_BYTES, parseBeat, parseHttpCheck, SpecError, type Status } from "@ncolony/core";
import type { StatusReader } from "@ncolony/host/read-tool";
import { mayRead, readLinkedFile } from "@ncolony/host/tool";

/** Parses the section of each checker in a config. */
const PARSERS = { beatcheck: parseBeat, httpcheck: parseHttpCheck } as const;

/** How long a checker may take to notice a config, by default, in milliseconds. */
const NOTICE_MS = 10_000;

/** The checkers that a config asks for, and how long their first result may take, in milliseconds. */
type Asked = ReadonlyMap<string, number>;

/** The checks of processes, as far as their results are reported. */
export class Checks {
  readonly #reader: StatusReader;
  readonly #config: string;
  /** The checkers that were seen alive. One that is restarted together with what it checks is still waited for. */
  readonly #seen = new Set<string>();
  /** What the configs ask for. They are read once, when they are as the command wants them. */
  readonly #asked = new Map<string, Asked | null>();

  /** Creates them before anything is asked for. */
  constructor(reader: StatusReader, config: string) {
    this.#reader = reader;
    this.#config = config;
    this.#look();
  }

  /** Whether each check of a process has found it healthy since its start. */
  areGood(status: Status): boolean {
    this.#look();
    const healths = this.#reader.healths([...new Set([...this.#seen, ...this.#reader.checkers()])], status);
    const asked = this.#askedBy(status.name);
    const due = asked === null ? [...healths.keys()] : [...asked.keys()];
    const told = due.filter((checker) => this.#seen.has(checker) || healths.has(checker));
    return told.every((checker) => healths.get(checker)?.isHealthy === true);
  }

  /** How long the first result of a process may take, in milliseconds. */
  firstResultMs(name: string): number {
    const asked = [...this.#askedBy(name) ?? []].filter(([checker]) => this.#seen.has(checker));
    return Math.max(0, ...asked.map(([, ms]) => ms));
  }

  #askedBy(name: string): Asked | null {
    const known = this.#asked.get(name);
    if (known !== undefined) return known;
    const asked = checksIn(this.#config, name);
    this.#asked.set(name, asked);
    return asked;
  }

  #look(): void {
    for (const checker of Object.keys(PARSERS)) if (this.#reader.isChecking(checker)) this.#seen.add(checker);
  }
}

/** Returns what a config asks for. Null if it may not be read. */
function checksIn(config: string, name: string): Asked | null {
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
