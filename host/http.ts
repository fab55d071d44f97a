import type { HttpCheck } from "@ncolony/core";
import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import type { Duplex } from "node:stream";
import { MAX_TIMER_MS } from "./clock.ts";
import { openDirectory } from "./directory.ts";
import { type Answer, answerOf, explain } from "./http_answer.ts";

/** The most that is read of an answer's body, so that the server sees it taken. */
const MAX_BODY_BYTES = 65_536;

/** The longest file of certificates that is read: those of all known authorities are a quarter of that. */
const MAX_CA_BYTES = 1024 ** 2;

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
  const ca = target.ca === null ? null : await readCertificates(target.ca);
  if (ca !== null && "fault" in ca) return { type: "impossible", reason: `its "ca" ${ca.fault}` };
  const url = new URL(target.url);
  const isSecure = url.protocol === "https:";
  const { request } = isSecure ? await import("node:https") : await import("node:http");
  const connect = isSecure ? await secureConnect(url, target, ca?.source) : await plainConnect(url, target);
  if (signal.aborted) return { type: "broken", reason: "aborted" };
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const closed = Promise.withResolvers<void>();
  const asked = { isSecure, isUnix: target.unix !== null };
  /** What comes of it when no more is heard. */
  let answer: Answer | null = null;
  const end = (otherwise: Answer) => resolve(answer ?? otherwise);
  let isConnecting = false;
  try {
    const createConnection = () => {
      const connection = connect().on("close", closed.resolve);
      isConnecting = true;
      return connection;
    };
    const asking = request(url, { createConnection, headers: Object.fromEntries(headersOf(url, target)) });
    const abort = () => end({ type: "broken", reason: "aborted" });
    const late = () => end({ type: "broken", reason: `no answer in ${timeoutMs / 1000} s` });
    signal.addEventListener("abort", abort);
    const timer = setTimeout(late, Math.min(timeoutMs, MAX_TIMER_MS));
    asking.on("error", (error) => end(explain(error, asked)));
    asking.on("response", async (response) => {
      // The status is the answer, whatever becomes of the body.
      answer = { type: "status", status: response.statusCode ?? 0 };
      resolve(answerOf(answer.status, isSecure, await headOf(response)));
    });
    asking.end();
    const result = await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    asking.destroy();
    if (isConnecting) await closed.promise;
    return result;
  } catch (error) {
    // What cannot be asked at all is said before anything is sent.
    return explain(error, asked);
  }
}

function headersOf({ host }: URL, target: HttpTarget): Headers {
  const headers = new Headers({ "user-agent": "ncolony-httpcheck", host });
  for (const [name, value] of Object.entries(target.headers)) headers.set(name, value);
  return headers;
}

/** Where a connection is made to. */
function placeOf(
  { protocol, hostname, port }: URL,
  { unix }: HttpTarget,
): { path: string } | { host: string; port: number } {
  if (unix !== null) return { path: unix };
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (protocol === "https:" ? 443 : 80)) };
}

async function plainConnect(url: URL, target: HttpTarget): Promise<() => Duplex> {
  const { connect } = await import("node:net");
  return () => connect(placeOf(url, target));
}

/** Who is connected to must have a certificate for the name that it is asked by. */
async function secureConnect(url: URL, target: HttpTarget, ca: string | undefined): Promise<() => Duplex> {
  const { connect } = await import("node:tls");
  const { hostname } = new URL(`https://${headersOf(url, target).get("host")}`);
  // TLS sends no address as a name.
  const servername = /^\[|^[\d.]+$/.test(hostname) ? {} : { servername: hostname };
  const trust = { rejectUnauthorized: !target.isInsecure, ...(ca === undefined ? {} : { ca }) };
  return () => connect({ ...placeOf(url, target), ...servername, ...trust });
}

/** Reads certificates, or says why that cannot be done. Waits for nobody, whatever stands at the path. */
async function readCertificates(path: string): Promise<{ readonly source: string } | { readonly fault: string }> {
  const directory = openDirectory(dirname(path), { maxBytes: MAX_CA_BYTES, followLinks: true });
  const entry = (await directory.read(basename(path)))?.entry ?? { fault: "is not there" };
  if ("fault" in entry || entry.source.includes("-----BEGIN CERTIFICATE-----")) return entry;
  return { fault: "holds no certificate in PEM" };
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
