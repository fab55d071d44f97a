/** An HTTP server on 127.0.0.1 that records its requests: `await using server = new Server(…)`. */
export class Server implements AsyncDisposable {
  /** When each path was asked for, by `performance.now()`. */
  readonly asks = new Map<string, number[]>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** Starts the server. */
  constructor(answer: (path: string, count: number) => Response | Promise<Response>) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url);
      const times = this.asks.get(pathname) ?? [];
      this.asks.set(pathname, [...times, performance.now()]);
      return answer(pathname, times.length + 1);
    });
  }

  /** Its port. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** Returns the URL of a path. */
  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Returns how often a path was asked for. */
  count(path: string): number {
    return this.asks.get(path)?.length ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A TCP server on 127.0.0.1 that handles connections itself: `using server = new RawServer(…)`. */
export class RawServer implements Disposable {
  /** How many connections were made to it. */
  accepted = 0;
  /** How many connections the other end left. */
  left = 0;
  readonly #listener: Deno.TcpListener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();

  /** Starts the server. */
  constructor(serve: (connection: Deno.TcpConn) => void | Promise<void>) {
    this.#accept(serve);
  }

  /** Its URL. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}/`;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  async #accept(serve: (connection: Deno.TcpConn) => void | Promise<void>): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        this.accepted++;
        this.#connections.add(connection);
        this.#serve(connection, serve);
      }
    } catch (error) {
      // It was closed.
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
    }
  }

  async #serve(connection: Deno.TcpConn, serve: (connection: Deno.TcpConn) => void | Promise<void>): Promise<void> {
    try {
      await serve(connection);
    } catch {
      // One of the two ends is gone.
      this.left++;
    }
    if (this.#connections.delete(connection)) connection.close();
  }
}

/** Reads a request, which is small, and answers with some text. */
export async function answer(connection: Deno.TcpConn, text: string): Promise<void> {
  await connection.read(new Uint8Array(1024));
  await connection.write(new TextEncoder().encode(text));
}

/** Reads a connection until the other end leaves it, and answers nothing. */
export async function listenOnly(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  while (await connection.read(buffer) !== null);
  throw new Error("it left");
}

/** Returns a config whose process httpcheck asks. Allows a few late answers in a row, as on a loaded machine. */
export function asked(url: string, check: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const usual = { period: 0.4, timeout: 10, grace: 0, maxBad: 3 };
  return { args: ["cat"], "ncolony.httpcheck": { url, ...usual, ...check } };
}
