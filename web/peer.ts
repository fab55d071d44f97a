import { isObject, type Json, type JsonObject, ownValue } from "@ncolony/core";
import { denoClock, type Log, whyNotConnected } from "@ncolony/host";
import { type ColonyChange, formatColony } from "./change.ts";
import { EventParser, type ServerEvent } from "./event_parser.ts";
import type { Shown } from "./hub.ts";

/** The most that is held of an answer, in bytes or characters. */
const MAX_LENGTH = 16 * 1024 * 1024;

/** How many of the last events are kept. */
const MAX_HAPPENED = 50;

/** A peer that sends nothing for so long is gone, in milliseconds: it should send a comment every 15 s. */
const SILENCE_MS = 40_000;

/** How long to wait before the first and the last try to reach it again, in milliseconds. */
const [MIN_PAUSE_MS, MAX_PAUSE_MS] = [1000, 30_000];

const SOMETHING_ELSE = "it is no ncolony-web";

/** The server of another host. */
export interface PeerAddress {
  /** What it is called. */
  readonly name: string;
  /** The address of its page, without a slash at the end. */
  readonly url: string;
  /** The token that it wants. Null: it wants none. */
  readonly token: string | null;
}

/** The colony of another host, as the server of its page tells. */
export class Peer implements Shown {
  readonly #address: PeerAddress;
  readonly #publish: (host: string, change: string) => void;
  readonly #log: Log;
  readonly #abort = new AbortController();
  readonly #processes = new Map<string, JsonObject>();
  #happened: readonly JsonObject[] = [];
  #told: JsonObject = { monitor: {}, summary: [], well: false };
  /** Why it cannot be reached. Null if it can. */
  #fault: string | null = "not asked yet";
  #faultSince = denoClock.wall();
  #boot: Json | undefined;
  #count = 0;

  /** Creates a colony of which nothing is known. `publish` is called with what changes. */
  constructor(address: PeerAddress, publish: (host: string, change: string) => void, log: Log) {
    this.#address = address;
    this.#publish = publish;
    this.#log = log;
  }

  /** The name of the peer. */
  get host(): string {
    return this.#address.name;
  }

  snapshot(): string {
    const processes = [...this.#processes.values()].map((process) => JSON.stringify(process));
    const facts = JSON.stringify(this.#facts());
    return formatColony({ facts, processes, gone: [], happened: this.#happened, usage: null });
  }

  /** Follows what it tells, until it is closed. */
  async run(): Promise<void> {
    const { signal } = this.#abort;
    for (let pauseMs = MIN_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      const wasReached = await this.#follow();
      if (wasReached) pauseMs = MIN_PAUSE_MS;
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        const cancel = denoClock.after(pauseMs, resolve);
        signal.addEventListener("abort", () => (cancel(), resolve()), { once: true });
      });
    }
  }

  /** Ends all that is under way. */
  close(): void {
    this.#abort.abort();
  }

  /** Asks it for something. @throws {Error} If that fails. */
  async ask(path: string, signal: AbortSignal): Promise<Response> {
    const { url, token } = this.#address;
    const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
    return await fetch(`${url}${path}`, {
      headers,
      redirect: "error",
      signal: AbortSignal.any([signal, this.#abort.signal]),
    });
  }

  /** Follows it until it cannot be reached. Resolves with whether it could be. */
  async #follow(): Promise<boolean> {
    const silence = new AbortController();
    let cancel = () => {};
    const listen = () => {
      cancel();
      cancel = denoClock.after(SILENCE_MS, () => silence.abort(new Error("it sends nothing")));
    };
    let isReached = false;
    try {
      listen();
      const response = await this.ask(`/events?own&since=${this.#boot}.${this.#count}`, silence.signal);
      if (response.status !== 200) throw new Error(await whyRefused(response));
      const parser = new EventParser(MAX_LENGTH);
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
        listen();
        for (const event of parser.push(text)) await this.#take(event, silence.signal);
        isReached = true;
      }
      throw new Error("it closed the connection");
    } catch (error) {
      silence.abort();
      if (!this.#abort.signal.aborted) this.#note(whyNotConnected(error));
      return isReached;
    } finally {
      cancel();
    }
  }

  async #take({ event, data }: ServerEvent, signal: AbortSignal): Promise<void> {
    const told = parse(data);
    const isKnown = told.boot === this.#boot && Number(told.count) <= this.#count;
    if (event === "hello" && told.all !== false) await this.#load(signal);
    this.#note(null);
    if (event === "change" && !isKnown && told.host === null) {
      this.#count = Number(told.count);
      this.#change(told);
    }
  }

  /** Asks for all that there is. */
  async #load(signal: AbortSignal): Promise<void> {
    const response = await this.ask("/api/colonies?own", signal);
    if (response.status !== 200) throw new Error(await whyRefused(response));
    const { boot, count, colonies } = parse(await textOf(response));
    if (!Array.isArray(colonies)) throw new Error(SOMETHING_ELSE);
    this.#note(null);
    this.#processes.clear();
    this.#happened = [];
    [this.#boot, this.#count] = [boot, Number(count)];
    this.#change({ ...objectOf(colonies[0]), all: true });
  }

  #change(change: JsonObject): void {
    const { monitor, summary, well } = change;
    this.#told = { monitor: objectOf(monitor), summary: textsIn(summary), well: well === true };
    const processes = objectsIn(change.processes).filter(isNamed);
    for (const process of processes) this.#processes.set(process.name as string, process);
    const gone = textsIn(change.gone);
    for (const name of gone) this.#processes.delete(name);
    const usage = isObject(change.usage) ? change.usage : null;
    for (const [name, process] of usage === null ? [] : this.#processes) {
      this.#processes.set(name, { ...process, usage: ownValue(usage!, name) ?? null });
    }
    const happened = objectsIn(change.happened).slice(-MAX_HAPPENED);
    this.#happened = [...this.#happened, ...happened].slice(-MAX_HAPPENED);
    this.#tell({
      facts: JSON.stringify({ ...this.#facts(), ...change.all === true ? { all: true } : {} }),
      processes: processes.map((process) => JSON.stringify(process)),
      gone,
      happened,
      usage: usage === null ? null : JSON.stringify(usage),
    });
  }

  /** Notes why it cannot be reached, or that it can. */
  #note(fault: string | null): void {
    if (fault === this.#fault) return;
    if (fault === null || this.#fault === null) this.#faultSince = denoClock.wall();
    this.#fault = fault;
    const { name, url } = this.#address;
    if (fault === null) this.#log.info(`peer ${name}: connected to ${url}`);
    else this.#log.warn(`peer ${name}: cannot reach ${url}: ${fault}`);
    this.#tell({ facts: JSON.stringify(this.#facts()), processes: [], gone: [], happened: [], usage: null });
  }

  #tell(change: ColonyChange): void {
    this.#publish(this.host, formatColony(change));
  }

  #facts(): JsonObject {
    const unreachable = this.#fault === null ? null : { since: this.#faultSince, reason: this.#fault };
    return { unreachable, ...this.#told };
  }
}

/** Parses what a peer sends. @throws {Error} If it is no object. */
function parse(text: string): JsonObject {
  try {
    const value: Json = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // The error would show what it sends.
  }
  throw new Error(SOMETHING_ELSE);
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function objectsIn(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textsIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

function isNamed({ name }: JsonObject): boolean {
  return typeof name === "string" && name.length <= 1000;
}

async function whyRefused(response: Response): Promise<string> {
  await response.body?.cancel();
  return response.status === 401
    ? "it requires a token, or a different one"
    : `it answers with status ${response.status}`;
}

/** Returns the text of an answer. @throws {Error} If it is too long. */
export async function textOf(response: Response): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    length += part.length;
    if (length > MAX_LENGTH) throw new Error("the answer is too long");
    parts.push(part);
  }
  return parts.join("");
}
