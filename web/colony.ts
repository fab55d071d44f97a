import {
  faultIn,
  healthsJson,
  isWell,
  type JsonObject,
  type MetricsFormat,
  metricsText,
  processText,
  type Seen,
  summaries,
  type View,
  viewJson,
  visible,
  visibleJson,
} from "@ncolony/core";
import { denoClock, faultOf, KnownFaults, type Log } from "@ncolony/host";
import { ColonyCache, type StatusReader } from "@ncolony/host/read-tool";
import { type ColonyChange, formatColony } from "./change.ts";
import { Happenings } from "./happenings.ts";

/** A process as it was last told. */
interface Told {
  readonly seen: Seen;
  /** All that is told about it, without what time alone changes. */
  readonly steady: string;
}

/** How a colony is now, and what changed. One read of the status directory answers for all who ask. */
export class Colony {
  readonly #reader: StatusReader;
  readonly #cache: ColonyCache;
  readonly #log: Log;
  readonly #happenings: Happenings;
  readonly #faults = new KnownFaults();
  readonly #touched = new Set<string>();
  #view: View;
  #fault: string | null = null;
  #told = new Map<string, Told>();
  #facts = "";
  #usage = "";

  /** Creates a colony that was not read yet. */
  constructor(reader: StatusReader, log: Log) {
    this.#reader = reader;
    this.#cache = new ColonyCache(reader);
    this.#happenings = new Happenings(reader.path);
    this.#log = log;
    this.#view = nothing();
  }

  /** Notes that a file of the status directory changed. */
  touch(name: string): void {
    this.#touched.add(name);
  }

  /** Which status directory this is: another one may have taken its place. Null if there is none. */
  get inode(): number | string | null {
    return this.#cache.inode;
  }

  /** How it is. */
  get view(): View {
    return this.#view;
  }

  /** Whether all is well: `ctl status` would exit with 0. */
  get isWell(): boolean {
    return this.#fault === null && isWell(this.#view);
  }

  /** Why nothing is known about it. Null if something is. */
  get fault(): string | null {
    return this.#fault;
  }

  /** How it is, in sentences. */
  get summary(): string[] {
    const unreadable = [...this.#cache.faults].map(([name, fault]) => `${visible(name)} cannot be shown: ${fault}.`);
    return [...this.#fault === null ? summaries(this.#view) : [this.#fault], ...unreadable];
  }

  /** The names of all processes with a status, sorted. */
  get names(): readonly string[] {
    return this.#cache.names;
  }

  /** Whether there is such a process. */
  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** Returns the document of `ctl status --json`. */
  statusJson(): string {
    return visibleJson(JSON.stringify(viewJson(this.#view)));
  }

  /** Returns what `ctl metrics` prints. */
  metrics(format: MetricsFormat): string {
    return metricsText(this.#view, format);
  }

  /** Returns all that the page shows. */
  snapshot(): string {
    const processes = this.#view.processes.map((seen) => processText(this.#view, seen));
    const happened = this.#happenings.kept;
    return formatColony({ facts: this.#describe(), processes, gone: [], happened, usage: null });
  }

  /**
   * Reads what changed.
   *
   * @param isAll Whether to look for changes of all files, and not only of those that were noted.
   * @returns What the page must be told. Null if that is nothing.
   */
  update(isAll: boolean): ColonyChange | null {
    const now = denoClock.wall();
    try {
      for (const name of this.#touched) this.#cache.touch(name, now);
      this.#touched.clear();
      if (isAll) this.#cache.update(now);
      this.#view = this.#cache.view(now);
      this.#fault = this.#cache.exists ? null : noStatus(this.#reader.path);
    } catch (error) {
      this.#view = nothing();
      this.#fault = `The status in ${JSON.stringify(this.#reader.path)} cannot be read: ${faultOf(error)}.`;
    }
    if (this.#faults.note("", this.#fault) && this.#fault !== null) this.#log.warn(this.#fault);
    for (const [name, fault] of this.#cache.faults) if (this.#faults.note(`/${name}`, fault)) this.#log.warn(fault);
    return this.#changes(this.#happenings.more());
  }

  /** Closes what it reads. */
  close(): void {
    this.#happenings.close();
  }

  #changes(happened: readonly JsonObject[]): ColonyChange | null {
    const view = this.#view;
    const [told, before] = [new Map<string, Told>(), this.#told];
    const processes: string[] = [];
    for (const seen of view.processes) {
      const { name } = seen.status;
      const known = before.get(name);
      const steady = steadyFacts(view, seen);
      const isNew = known?.seen.text !== seen.text || known.steady !== steady;
      if (isNew) processes.push(processText(view, seen));
      told.set(name, isNew ? { seen, steady } : known);
    }
    this.#told = told;
    const gone = [...before.keys()].filter((name) => !told.has(name));
    const [facts, usage] = [this.#describe(), JSON.stringify(view.usage)];
    const [isChanged, isUsed] = [facts !== this.#facts, usage !== this.#usage];
    [this.#facts, this.#usage] = [facts, usage];
    const isNews = isChanged || isUsed || processes.length + gone.length + happened.length > 0;
    return isNews ? { facts, processes, gone, happened, usage: isUsed ? usage : null } : null;
  }

  #describe(): string {
    const { monitor, isAlive } = this.#view;
    const facts: JsonObject = { monitor: { ...monitor, alive: isAlive }, summary: this.summary, well: this.isWell };
    return JSON.stringify(facts);
  }
}

/** Returns all that is told about a process besides its file, but for what time alone changes, and how it was found out. */
function steadyFacts(view: View, seen: Seen): string {
  const fault = faultIn(view, seen)?.replace(/^waits (?!for )[^(]*/, "") ?? null;
  if (seen.healths.size === 0) return fault ?? "";
  const healths = new Map([...seen.healths].map(([checker, health]) => [checker, { ...health, last: null }]));
  return `${fault} ${JSON.stringify(healthsJson(healths))}`;
}

function nothing(): View {
  return { now: denoClock.wall(), isAlive: null, stale: null, monitor: {}, usage: {}, jobs: [], processes: [] };
}

function noStatus(path: string): string {
  return `There is no status in ${JSON.stringify(path)}. Is a monitor running with --colony or --status?`;
}
