import { denoClock } from "../clock.ts";
import { faultOf, whyNotConnected } from "../deno_errors.ts";
import type { Log } from "../types.ts";

/** How long to wait before listening again, in milliseconds. */
const PAUSE_MS = 1000;

/** Answers a request. `client` is the address that it came from. */
export type HttpHandler = (request: Request, client: string) => Response | Promise<Response>;

/** Where to listen. */
export interface HttpAddress {
  /** A host name, or an IP address without brackets. */
  readonly hostname: string;
  /** The port. 0 stands for a free one. */
  readonly port: number;
}

/**
 * A server for HTTP. If the system accepts no more connections, such as when there are too many open files, all
 * connections are closed, and it listens again.
 */
export class HttpServer {
  readonly #handler: HttpHandler;
  readonly #log: Log;
  #address: HttpAddress;
  #connections = new AbortController();
  #cancelPause = () => {};

  /** Creates a server that does not listen yet. */
  constructor(address: HttpAddress, handler: HttpHandler, log: Log) {
    this.#address = address;
    this.#handler = handler;
    this.#log = log;
  }

  /** Where it listens. */
  get address(): HttpAddress {
    return this.#address;
  }

  /** Listens. @throws {Error} If that is not possible. */
  open(): void {
    const connections = new AbortController();
    const { hostname, port } = this.#address;
    const { addr, finished } = Deno.serve({
      hostname,
      port,
      signal: connections.signal,
      onListen: () => {},
      onError: (error) => this.#onError(error),
    }, (request, { remoteAddr }) => this.#handler(request, "hostname" in remoteAddr ? remoteAddr.hostname : ""));
    this.#address = { hostname, port: addr.port };
    this.#connections = connections;
    finished.catch((error) => {
      if (connections.signal.aborted) return;
      this.#log.error(`closes all connections: ${whyNotConnected(error)}`);
      this.#openAgain();
    });
  }

  /** Closes all connections, and listens no more. */
  close(): void {
    this.#cancelPause();
    this.#connections.abort();
  }

  #openAgain(): void {
    this.#connections.abort();
    this.#cancelPause = denoClock.after(PAUSE_MS, () => {
      try {
        this.open();
      } catch (error) {
        this.#log.error(`cannot listen: ${faultOf(error)}`);
        this.#openAgain();
      }
    });
  }

  #onError(error: unknown): Response {
    if (!(error instanceof SlowClientError)) {
      this.#log.error(`cannot answer: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
    }
    return new Response(null, { status: 500 });
  }
}

/** A client that reads too slowly was dropped. It ends the stream of a response. */
export class SlowClientError extends Error {}
