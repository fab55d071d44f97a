import {
  fileNameFault,
  METRICS_CONTENT_TYPES,
  quotedName,
  storyJson,
  storyLines,
  storySentences,
  visible,
  visibleJson,
} from "@ncolony/core";
import { denoClock, nearest } from "@ncolony/host";
import { readStory, type StatusReader } from "@ncolony/host/read-tool";
import { answer, answerJson, refuse, tooManyClients, TYPES } from "./answers.ts";
import { type Asset, ASSETS, ASSETS_PATH } from "./assets.ts";
import { wantsOpenMetrics } from "./accept.ts";
import type { Colony } from "./colony.ts";
import type { Guard } from "./guard.ts";
import type { Hub } from "./hub.ts";
import type { LogSource } from "./log_source.ts";
import { mainPage } from "./pages.ts";
import type { PeerSource } from "./peer_source.ts";
import type { Samples } from "./samples.ts";
import type { EventStream } from "./streams.ts";

/** What answers are made of. */
export interface RouterParts {
  /** Decides who may see anything. */
  readonly guard: Guard;
  /** The status directory. */
  readonly reader: StatusReader;
  /** How this colony is. */
  readonly colony: Colony;
  /** What its processes were like. */
  readonly samples: Samples;
  /** Tells clients what changes. */
  readonly hub: Hub;
  /** The logs of this colony. */
  readonly logs: LogSource;
  /** The colonies of other hosts. */
  readonly peers: PeerSource;
}

/** The pages that a script draws. */
const PAGE = /^\/(?:(?:host\/[^/]+\/)?process\/[^/]+)?$/;

/** What is known about a process, here or at a peer. */
const ABOUT = /^\/api\/(?:hosts\/([^/]+)\/)?(why|samples|log|follow)\/([^/]+)$/;

/** Answers requests. */
export class Router {
  readonly #parts: RouterParts;

  /** Creates a router. */
  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  /** Answers a request from a client with this address. */
  async answer(request: Request, client: string): Promise<Response> {
    const url = URL.parse(request.url);
    if (url === null) return refuse(400, "This is no valid request");
    const response = await this.#answer(request, url, client);
    if (request.method !== "HEAD" || response.body === null) return response;
    await response.body.cancel();
    return new Response(null, response);
  }

  async #answer(request: Request, url: URL, client: string): Promise<Response> {
    const { guard, colony } = this.#parts;
    const refusal = guard.refuse(request, url) ?? await guard.login(request, url, client) ?? assetAt(url);
    if (refusal !== null) return refusal;
    const isAdmitted = await guard.admits(request, client);
    if (url.pathname === "/healthz") return healthz(colony, isAdmitted);
    const isPage = PAGE.test(url.pathname);
    if (!isAdmitted) return guard.turnAway(url, client, isPage);
    if (isPage) return answer(200, mainPage(), TYPES.html);
    return await this.#data(request, url) ?? refuse(404, "There is nothing here: see docs/web.md");
  }

  #data(request: Request, url: URL): Response | Promise<Response> | null {
    const { colony, hub } = this.#parts;
    const isOwn = url.searchParams.has("own");
    switch (url.pathname) {
      case "/api/status":
        return answerJson(200, `${colony.statusJson()}\n`);
      case "/api/colonies":
        return answerJson(200, visibleJson(hub.snapshot(isOwn)));
      case "/metrics": {
        // Without numbers, a scrape must fail.
        if (colony.fault !== null) return refuse(503, colony.fault);
        const format = wantsOpenMetrics(request.headers.get("accept") ?? "") ? "openmetrics" : "prometheus";
        return answer(200, colony.metrics(format), METRICS_CONTENT_TYPES[format], { vary: "accept" });
      }
      case "/events":
        return stream(request, () => hub.follow(isOwn, sinceOf(request, url)));
    }
    const [, host, what, encoded] = ABOUT.exec(url.pathname) ?? [];
    if (what === undefined) return null;
    const [peer, name] = [decoded(host), decoded(encoded)];
    if (peer === null || name === null || fileNameFault(name!) !== null) return refuse(404, "There is no such name");
    if (peer !== undefined) return this.#parts.peers.ask(peer, what, name!, url);
    return this.#about(what, name!, request, url);
  }

  #about(what: string, name: string, request: Request, url: URL): Response {
    const { colony, samples, logs } = this.#parts;
    switch (what) {
      case "why":
        return this.#why(name, request);
      case "samples":
        return colony.has(name)
          ? answerJson(200, JSON.stringify({ version: 1, name, ...samples.of(name) }))
          : unknown(name, colony);
      case "log":
        return logs.last(name, url) ?? (colony.has(name) ? refuse(404, noLog(name)) : unknown(name, colony));
      default:
        return stream(request, () => logs.follow(name, url));
    }
  }

  #why(name: string, { headers }: Request): Response {
    const { reader, colony } = this.#parts;
    const story = readStory(reader, name, denoClock.wall());
    if (story === null) return unknown(name, colony);
    const vary = { vary: "accept" };
    if (/^text\/plain\b/.test(headers.get("accept") ?? "")) {
      return answer(200, `${storyLines(story).join("\n")}\n`, TYPES.text, vary);
    }
    const { past, now, besides } = storySentences(story);
    const sentences = { past: [...past], now: [...now, ...besides] };
    return answerJson(200, `${visibleJson(JSON.stringify({ ...storyJson(story), sentences }))}\n`, vary);
  }
}

/** Returns a part of a path. Null if it is encoded in a wrong way. */
function decoded(text: string | undefined): string | undefined | null {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Answers a load balancer, which needs no token, but then is not told why. */
function healthz(colony: Colony, isAdmitted: boolean): Response {
  const lines = isAdmitted ? colony.summary : [colony.isWell ? "well" : "not well"];
  return answer(colony.isWell ? 200 : 503, `${lines.join("\n")}\n`, TYPES.text);
}

/** Answers with a part of the page. Null if there is none at this path. */
function assetAt({ pathname }: URL): Response | null {
  const name = pathname.startsWith(ASSETS_PATH) ? pathname.slice(ASSETS_PATH.length) : "";
  if (!Object.hasOwn(ASSETS, name) || name.endsWith(".html")) return null;
  const { text, type }: Asset = ASSETS[name as keyof typeof ASSETS];
  return answer(200, text, type, { "cache-control": "max-age=31536000, immutable" });
}

/** Answers with a stream. A client that asks for nothing but headers gets none. */
function stream({ method }: Request, open: () => EventStream | null): Response {
  if (method === "HEAD") return answer(200, null, TYPES.events);
  const opened = open();
  return opened === null ? tooManyClients() : answer(200, opened.body, TYPES.events);
}

/** Returns the id of the last event that a client knows. Null if it knows none. */
function sinceOf({ headers }: Request, { searchParams }: URL): string | null {
  return headers.get("last-event-id") ?? searchParams.get("since");
}

function noLog(name: string): string {
  return `${visible(name)} has no log: it was never started, or the monitor or ncolony-web runs without --logs`;
}

function unknown(name: string, { names }: Colony): Response {
  const meant = nearest(name, names);
  return refuse(404, `There is no ${quotedName(name)}${meant === null ? "" : `: did you mean ${quotedName(meant)}?`}`);
}
