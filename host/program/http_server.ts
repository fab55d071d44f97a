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

/** Formats where a server listens: `127.0.0.1:9180`, `[::1]:9180`. */
export function formatAddress({ hostname, port }: HttpAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
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
    const { addr, finished } = this.#serve(connections.signal);
    this.#address = { ...this.#address, port: addr.port };
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

  #serve(signal: AbortSignal): Deno.HttpServer<Deno.NetAddr> {
    const { hostname, port } = this.#address;
    try {
      return Deno.serve({
        hostname,
        port,
        signal,
        onListen: () => {},
        onError: (error) => this.#onError(error),
      }, (request, { remoteAddr }) => this.#handler(request, "hostname" in remoteAddr ? remoteAddr.hostname : ""));
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      throw new Error(`cannot listen on ${formatAddress(this.#address)}: ${faultOf(error)}`);
    }
  }

  #openAgain(): void {
    this.#connections.abort();
    this.#cancelPause = denoClock.after(PAUSE_MS, () => {
      try {
        this.open();
      } catch (error) {
        this.#log.error(error instanceof Error ? error.message : String(error));
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
