import { denoClock, whyNotConnected } from "@ncolony/host";
import { answer, refuse, tooManyClients, TYPES } from "./answers.ts";
import { type Peer, textOf } from "./peer.ts";
import type { Streams } from "./streams.ts";

/** How long a peer may take to answer, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** Asks peers about their processes. */
export class PeerSource {
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #streams: Streams;

  /** Creates a source of all peers. */
  constructor(peers: readonly Peer[], streams: Streams) {
    this.#peers = new Map(peers.map((peer) => [peer.host, peer]));
    this.#streams = streams;
  }

  /** Answers with what a peer tells about a process. */
  async ask(host: string, what: string, name: string, url: URL): Promise<Response> {
    const peer = this.#peers.get(host);
    if (peer === undefined) return refuse(404, "There is no such peer");
    const lines = Number(url.searchParams.get("lines"));
    const path = `/api/${what}/${encodeURIComponent(name)}${lines >= 1 ? `?lines=${Math.floor(lines)}` : ""}`;
    const abort = new AbortController();
    const cancel = denoClock.after(TIMEOUT_MS, () => abort.abort(new Error("it does not answer")));
    try {
      const response = await peer.ask(path, abort.signal);
      if (response.status !== 200 && response.status !== 404) {
        await response.body?.cancel();
        return refuse(502, `${host} answers with status ${response.status}`);
      }
      if (what === "follow" && response.status === 200) return this.#pipe(response, abort);
      return answer(response.status, await textOf(response), TYPES.json);
    } catch (error) {
      return refuse(502, `${host} cannot be reached: ${whyNotConnected(error)}`);
    } finally {
      cancel();
    }
  }

  /** Passes on a stream. */
  #pipe({ body }: Response, abort: AbortController): Response {
    const stream = this.#streams.open(() => abort.abort());
    if (stream === null) {
      abort.abort();
      return tooManyClients();
    }
    (async () => {
      for await (const part of body ?? []) stream.send(part);
    })().catch(() => {
      // The client or the peer is gone.
    }).finally(() => stream.close());
    return answer(200, stream.body, TYPES.events);
  }
}
