import type { HttpTarget } from "@ncolony/host";

/** What is asked where a config says nothing but the URL, or also this. */
export function target(url: string, how: Partial<HttpTarget> = {}): HttpTarget {
  return { url, headers: {}, unix: null, ca: null, isInsecure: false, ...how };
}

/** What happens on one connection, from the moment a request came on it. */
export type Talk = (connection: Deno.TcpConn, write: (text: string) => Promise<void>) => Promise<void> | void;

/** A server on 127.0.0.1 that answers as it likes; all of it is gone after the test: `await using server = new RawServer(…)`. */
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
   * Starts it.
   *
   * @param talk What it does on each connection.
   * @param readBytes How much it reads at most: closing on what was not read resets the connection.
   */
  constructor(talk: Talk, readBytes: number = 10_000) {
    this.#readBytes = readBytes;
    this.#done = this.#serve(talk);
  }

  /** Where it listens. */
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
    // It was closed.
  }
}
