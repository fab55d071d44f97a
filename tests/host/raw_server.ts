import type { HttpTarget } from "@ncolony/host";

/** Returns the target of a config that has this URL, and the settings in `how`. */
export function target(url: string, how: Partial<HttpTarget> = {}): HttpTarget {
  return { url, headers: {}, unix: null, ca: null, isInsecure: false, ...how };
}

/** What the server does on a connection after a request came in. */
export type Talk = (connection: Deno.TcpConn, write: (text: string) => Promise<void>) => Promise<void> | void;

/** A TCP server on 127.0.0.1 that answers as a test says: `await using server = new RawServer(…)`. */
export class RawServer implements AsyncDisposable {
  /** How many connections were made. */
  connections = 0;
  /** The requests, as they came. */
  readonly requests: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #talks: Promise<void>[] = [];
  readonly #done: Promise<void>;
  readonly #readBytes: number;

  /**
   * Starts the server.
   *
   * @param talk What it does on each connection.
   * @param readBytes The most bytes that it reads. Closing with unread bytes resets the connection.
   */
  constructor(talk: Talk, readBytes: number = 10_000) {
    this.#readBytes = readBytes;
    this.#done = this.#serve(talk);
  }

  /** Its address and port. */
  get host(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) connection.close();
    await Promise.all([this.#done, ...this.#talks]);
  }

  async #serve(talk: Talk): Promise<void> {
    for await (const connection of this.#listener) {
      this.connections++;
      this.#open.add(connection);
      this.#talks.push(this.#talk(connection, talk));
    }
  }

  async #talk(connection: Deno.TcpConn, talk: Talk): Promise<void> {
    try {
      const bytes = new Uint8Array(this.#readBytes);
      const length = await connection.read(bytes);
      if (length === null) return;
      this.requests.push(new TextDecoder().decode(bytes.subarray(0, length)));
      const write = async (text: string) => void await writeAll(connection, new TextEncoder().encode(text));
      await talk(connection, write);
    } catch {
      // The other side closed it, or the test is over.
    } finally {
      if (this.#open.delete(connection)) closeQuietly(connection);
    }
  }
}

/** Writes all of some bytes. */
export async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
}

/** Waits until the other side closes. */
export async function closedBy(connection: Deno.TcpConn): Promise<void> {
  while (await connection.read(new Uint8Array(1000)) !== null);
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is already closed.
  }
}
