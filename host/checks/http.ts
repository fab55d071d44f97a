import type { HttpCheck } from "@ncolony/core";
import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { MAX_TIMER_MS } from "../clock.ts";
import { type Answer, answerOf, explain } from "./http_answer.ts";
import { type Connect, connectTo, headersOf, NODE, whyNotAllowed } from "./http_connection.ts";

/** The most that is read of an answer's body, so that the server sees it taken. */
const MAX_BODY_BYTES = 65_536;

/** What is asked, and how it is reached. */
export type HttpTarget = Pick<HttpCheck, "url" | "headers" | "unix" | "ca" | "isInsecure">;

/**
 * Asks for a URL by GET, as a new client does: on a connection of its own, which is closed when the answer was read, and
 * through no proxy, whatever the environment says. No redirect is followed, and no reason shows the URL or a header, which may
 * hold secrets.
 *
 * That is why it is `node:http`, 60 ms to load, at the first request: `fetch()` keeps its connections, takes proxies from the
 * environment, sends no `Host`, and does not say what is wrong with a certificate. And it makes the connection itself, for an
 * agent of `node:http` takes those proxies where `NODE_USE_ENV_PROXY` is set, and one of `node:https` needs `--allow-sys`.
 *
 * @param target What is asked.
 * @param timeoutMs How long the answer may take, up to its last header.
 * @param signal Aborts it.
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
    // What Node says of it may show all of it.
    return { type: "impossible", reason: "its URL and headers make no request" };
  }
  return await asking.end(timeoutMs, signal);
}

/** A request under way. */
class Asking {
  readonly #target: HttpTarget;
  readonly #connect: Connect;
  readonly #answered = Promise.withResolvers<Answer>();
  readonly #closed = Promise.withResolvers<void>();
  #request!: ClientRequest;
  /** Its connection; null where there is none yet. */
  #connection: Socket | null = null;
  /** The status, whatever becomes of the body. */
  #status: number | null = null;

  constructor(target: HttpTarget, connect: Connect) {
    this.#target = target;
    this.#connect = connect;
  }

  /** Sends it. */
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

  /** Waits for the answer, closes the connection, and gives what came of it. */
  async end(timeoutMs: number, signal: AbortSignal): Promise<Answer> {
    const abort = () => this.#finish({ type: "broken", reason: "aborted" });
    const late = () => this.#finish({ type: "broken", reason: `no answer in ${timeoutMs / 1000} s` });
    signal.addEventListener("abort", abort);
    const timer = setTimeout(late, Math.min(timeoutMs, MAX_TIMER_MS));
    const answer = await this.#answered.promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    this.#request.destroy();
    // Another protocol took it over where the request knows nothing of it any more.
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

/** Reads a body to its end, or until it is too long or breaks off, which changes nothing; gives where it begins. */
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
