import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { MAX_TIMER_MS } from "../clock.ts";
import { NODE } from "../node.ts";
import { type Answer, answerOf, explain } from "./http_answer.ts";
import { type Connect, connectTo, headersOf, type HttpTarget, whyNotAllowed } from "./http_connection.ts";

/** The most that is read of an answer's body, in bytes. It is read so that the server can finish sending it. */
const MAX_BODY_BYTES = 65_536;

/**
 * Requests a URL by GET, as a new client does: on its own connection, which is closed when the answer was read, and
 * without a proxy, whatever the environment says. Redirects are not followed. Reasons never show the URL or a header,
 * which may hold secrets.
 *
 * For that it uses `node:http`, which the first request loads in 60 ms. `fetch()` keeps its connections, takes proxies
 * from the environment, ignores a `Host` header, and does not say what is wrong with a certificate. It also opens the
 * connection itself, because an agent of `node:http` uses those proxies if `NODE_USE_ENV_PROXY` is set, and an agent of
 * `node:https` needs `--allow-sys`.
 *
 * @param target What to request.
 * @param timeoutMs How long the answer may take up to its last header, in milliseconds.
 * @param signal Aborts the request.
 */
export async function askHttp(target: HttpTarget, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  let asking: Asking;
  try {
    const url = new URL(target.url);
    const reason = whyNotAllowed(url, target);
    if (reason !== null) return { type: "impossible", reason };
    const connect = connectTo(url, target);
    if ("fault" in connect) return { type: "impossible", reason: connect.fault };
    const { request } = url.protocol === "https:" ? NODE.https() : NODE.http();
    if (signal.aborted) return { type: "broken", reason: "aborted" };
    asking = new Asking(target, connect.connect);
    asking.begin((createConnection) => {
      return request(url, { createConnection, insecureHTTPParser: true, headers: headersOf(url, target) });
    });
  } catch {
    // Node's message may show any of it.
    return { type: "impossible", reason: "the URL and the headers do not form a valid request" };
  }
  return await asking.end(timeoutMs, signal);
}

/** A running request. */
class Asking {
  readonly #target: HttpTarget;
  readonly #connect: Connect;
  readonly #answered = Promise.withResolvers<Answer>();
  readonly #closed = Promise.withResolvers<void>();
  #request!: ClientRequest;
  /** Its connection. Null if there is none yet. */
  #connection: Socket | null = null;
  /** The status, even if the body cannot be read. */
  #status: number | null = null;

  constructor(target: HttpTarget, connect: Connect) {
    this.#target = target;
    this.#connect = connect;
  }

  /** Sends the request. */
  begin(send: (createConnection: Connect) => ClientRequest): void {
    this.#request = send(() => {
      this.#connection = this.#connect();
      return this.#connection.on("close", this.#closed.resolve);
    });
    const { isSecure, isUnix } = this.#facts;
    this.#request.on("error", (error) => {
      this.#finish(explain(error, { isSecure, isUnix, isSilent: this.#connection?.bytesRead === 0 }));
    });
    this.#request.on("response", async (response) => {
      this.#status = response.statusCode ?? 0;
      this.#answered.resolve(answerOf(this.#status, isSecure, await headOf(response)));
    });
    this.#request.on("upgrade", (response) => {
      this.#answered.resolve({ type: "status", status: response.statusCode ?? 101 });
    });
    this.#request.end();
  }

  /** Waits for the answer, closes the connection, and resolves with the answer. */
  async end(timeoutMs: number, signal: AbortSignal): Promise<Answer> {
    const abort = () => this.#finish({ type: "broken", reason: "aborted" });
    const late = () => this.#finish({ type: "broken", reason: `no response within ${timeoutMs / 1000} s` });
    signal.addEventListener("abort", abort);
    const timer = setTimeout(late, Math.min(timeoutMs, MAX_TIMER_MS));
    const answer = await this.#answered.promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    this.#request.destroy();
    // After an upgrade to another protocol, the request no longer owns the connection.
    this.#connection?.destroy();
    if (this.#connection !== null) await this.#closed.promise;
    return answer;
  }

  get #facts(): { isSecure: boolean; isUnix: boolean } {
    return { isSecure: /^https:/i.test(this.#target.url), isUnix: this.#target.unix !== null };
  }

  #finish(otherwise: Answer): void {
    this.#answered.resolve(this.#status === null ? otherwise : { type: "status", status: this.#status });
  }
}

/** Reads a body to its end, or until it is too long, and resolves with its first bytes. Empty if it breaks off. */
function headOf(response: AsyncIterable<Uint8Array>): Promise<string> {
  return readHead(response).catch(() => "");
}

async function readHead(response: AsyncIterable<Uint8Array>): Promise<string> {
  let head = "";
  let length = 0;
  for await (const bytes of response) {
    if (length === 0) head = new TextDecoder().decode(bytes);
    length += bytes.length;
    if (length > MAX_BODY_BYTES) break;
  }
  return head;
}
