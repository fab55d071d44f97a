/**
 * What the events of a colony mean together: which processes are in a crash loop, which are unhealthy, and whether the
 * monitor is gone.
 *
 * @module
 */

import { isDeath } from "./deaths.ts";
import { crashLoop, crashLoopOver, monitorGone, type ToldEvent } from "./event.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import { count, iso, textOf, texts, time } from "./json_values.ts";

/** So many deaths in a row are a crash loop. */
const LOOP = 3;

/** How much longer than the threshold a process must have run: by then it would be known that it has died, in milliseconds. */
const SLACK_MS = 2000;

/** How many processes are remembered. */
const MAX_PROCESSES = 10_000;

/** A process that has died. */
interface Deaths {
  /** How often in a row. */
  readonly deaths: number;
  /** Whether its crash loop has been told. */
  readonly isTold: boolean;
  /** Since when it runs again, in milliseconds since 1970. Null if it does not. */
  readonly since: number | null;
}

/** Remembers what matters of past events, to tell what new ones mean. */
export class Incidents {
  readonly #dying = new Map<string, Deaths>();
  /** Who finds which process unhealthy: `httpcheck web`. */
  readonly #unhealthy = new Set<string>();
  #monitor: "running" | "stopped" | "gone" | null = null;

  /** Creates it from what {@linkcode Incidents.json} returned, or null. What is not as it should be counts as absent. */
  constructor(saved: JsonObject | null = null) {
    const { monitor, unhealthy, dying } = saved ?? {};
    if (monitor === "running" || monitor === "stopped" || monitor === "gone") this.#monitor = monitor;
    for (const text of texts(unhealthy)) this.#unhealthy.add(text);
    for (const [name, value] of Object.entries(isObject(dying) ? dying : {})) this.#dying.set(name, deathsIn(value));
  }

  /** Returns what must be saved. */
  json(): JsonObject {
    const dying = [...this.#dying].map(([name, { deaths, isTold, since }]) => {
      return [name, { deaths, told: isTold, since: iso(since) }] as const;
    });
    return { monitor: this.#monitor, unhealthy: [...this.#unhealthy], dying: Object.fromEntries(dying) };
  }

  /** Whether time alone can mean something. */
  get isWaiting(): boolean {
    return this.#dying.size > 0;
  }

  /**
   * Takes an event. Returns what can be told because of it: mostly the event itself; none for an exit that somebody asked
   * for, or for a process that was not unhealthy before it is healthy.
   *
   * @param thresholdMs A process that exits sooner than this after its start has died, in milliseconds.
   */
  add(event: ToldEvent, thresholdMs: number): ToldEvent[] {
    switch (event.event) {
      case "exited":
        return event.name === null ? [event] : this.#exited(event.name, event, thresholdMs);
      case "started":
        this.#note(event.name ?? "", { since: time(event.at) });
        return [event];
      case "disabled":
      case "removed":
        this.#dying.delete(event.name ?? "");
        return [event];
      case "unhealthy":
        if (this.#unhealthy.size < MAX_PROCESSES) this.#unhealthy.add(finding(event));
        return [event];
      case "healthy":
        return this.#unhealthy.delete(finding(event)) ? [event] : [];
      default:
        return this.#ofMonitor(event);
    }
  }

  /** Takes what checkers report at the start. Returns what changed since the last event. */
  compare(reports: readonly ToldEvent[]): ToldEvent[] {
    const news = reports.filter((report) => (report.event === "unhealthy") !== this.#unhealthy.has(finding(report)));
    this.#unhealthy.clear();
    for (const report of reports) {
      if (report.event === "unhealthy" && this.#unhealthy.size < MAX_PROCESSES) this.#unhealthy.add(finding(report));
    }
    return news;
  }

  /** Returns which crash loops are over at a time, in milliseconds since 1970. */
  pass(now: number, thresholdMs: number): ToldEvent[] {
    if (this.#monitor === "gone") return [];
    const over = [...this.#dying].filter(([, { since }]) => since !== null && now - since > thresholdMs + SLACK_MS);
    for (const [name] of over) this.#dying.delete(name);
    return over.filter(([, { isTold }]) => isTold).map(([name]) => crashLoopOver(name, now));
  }

  /** Notes that no monitor runs. Returns that it is gone, unless it has stopped in order, or that is known. */
  missMonitor(now: number): ToldEvent[] {
    return this.#monitor === "running" ? this.add(monitorGone(now), 0) : [];
  }

  /** Counts no crash loop as told: each is told at the next death. */
  untell(): void {
    for (const name of this.#dying.keys()) this.#note(name, { isTold: false });
  }

  #exited(name: string, event: ToldEvent, thresholdMs: number): ToldEvent[] {
    const before = this.#dying.get(name);
    if (isDeath(event, thresholdMs)) {
      const deaths = (before?.deaths ?? 0) + 1;
      const isLoop = deaths >= LOOP && !before?.isTold;
      this.#dying.delete(name);
      this.#dying.set(name, { deaths, isTold: isLoop || (before?.isTold ?? false), since: null });
      for (const first of this.#dying.keys()) if (this.#dying.size > MAX_PROCESSES) this.#dying.delete(first);
      return isLoop ? [event, crashLoop(event, deaths)] : [event];
    }
    if (event.asked === true) {
      this.#note(name, { deaths: 0, since: null });
      return [];
    }
    this.#dying.delete(name);
    return before?.isTold ? [crashLoopOver(name, time(event.at) ?? 0), event] : [event];
  }

  #note(name: string, what: Partial<Deaths>): void {
    const before = this.#dying.get(name);
    if (before !== undefined) this.#dying.set(name, { ...before, ...what });
  }

  #ofMonitor(event: ToldEvent): ToldEvent[] {
    const before = this.#monitor;
    switch (event.event) {
      case "monitor-started":
        this.#monitor = "running";
        // It has not stopped, so it was killed.
        return before === "running" ? [monitorGone(time(event.at) ?? 0), event] : [event];
      case "monitor-stopped":
        this.#monitor = "stopped";
        return [event];
      case "monitor-gone":
        this.#monitor = "gone";
        return before === "gone" ? [] : [event];
      default:
        return [event];
    }
  }
}

function finding({ check, name }: ToldEvent): string {
  return `${textOf(check)} ${name}`;
}

function deathsIn(value: Json): Deaths {
  const { deaths, told, since } = isObject(value) ? value : {};
  return { deaths: count(deaths) ?? 0, isTold: told === true, since: time(since) };
}
