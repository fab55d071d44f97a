import { MAX_TIMER_MS } from "./clock.ts";

/** The most that is read of an answer's body, so that the server sees it taken and the connection can be used again. */
const MAX_BODY_BYTES = 65_536;

/** What came of asking: an answer; none, or none in time; or nothing, for it cannot be asked at all. */
export type Answer =
  | { readonly type: "status"; readonly status: number }
  | { readonly type: "broken"; readonly reason: string }
  | { readonly type: "impossible"; readonly reason: string };

/**
 * Asks for a URL by GET. No redirect is followed, and no reason shows the URL, which may hold a secret.
 *
 * @param url An http or https URL.
 * @param timeoutMs How long the answer may take, up to its last header.
 * @param signal Aborts it.
 */
export async function askHttp(url: string, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), Math.min(timeoutMs, MAX_TIMER_MS));
  const abort = AbortSignal.any([signal, timeout.signal]);
  try {
    const headers = { "user-agent": "ncolony-httpcheck" };
    const response = await fetch(url, { redirect: "manual", headers, signal: abort });
    // The status is the answer; a body that breaks off changes nothing.
    await drain(response).catch(() => {});
    return { type: "status", status: response.status };
  } catch (error) {
    if (timeout.signal.aborted) return { type: "broken", reason: `no answer in ${timeoutMs / 1000} s` };
    return explain(error);
  } finally {
    clearTimeout(timer);
  }
}

async function drain({ body }: Response): Promise<void> {
  if (body === null) return;
  const reader = body.getReader();
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.length;
    if (length > MAX_BODY_BYTES) return await reader.cancel();
  }
}

/** What Deno's error means; its own words show the URL. */
function explain(error: unknown): Answer {
  if (error instanceof Deno.errors.NotCapable) {
    return { type: "impossible", reason: "that needs --allow-net for its host" };
  }
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const blocked = /Requests to port (\d+) are blocked/.exec(message);
  if (blocked !== null) return { type: "impossible", reason: `Deno asks nobody on port ${blocked[1]}` };
  // Without the URL, whose words would be taken for the error's.
  const detail = (cause instanceof Error ? cause.message : message).replace(/ for \S+/, "");
  const known = [
    [/refused/, "connection refused"],
    [/reset|closed before|EOF/i, "connection closed before an answer came"],
    [/dns error/, "its host is not known"],
    [/certificate|InvalidContentType|tls/i, "no good TLS connection"],
    [/invalid HTTP|parse|unexpected message/i, "what it answers is not HTTP"],
    [/unreachable/, "its host cannot be reached"],
  ] as const;
  return { type: "broken", reason: known.find(([pattern]) => pattern.test(detail))?.[1] ?? "the request failed" };
}
