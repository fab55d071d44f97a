import { visibleJson } from "@ncolony/core";

/** The page runs and shows nothing but what this server sends it, and nobody can frame it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** The headers of every answer. */
const HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** The media types of answers. */
export const TYPES = {
  events: "text/event-stream",
  html: "text/html; charset=utf-8",
  json: "application/json",
  text: "text/plain; charset=utf-8",
} as const;

/** Creates an answer that nothing may store, unless `headers` say something else. */
export function answer(
  status: number,
  body: BodyInit | null,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    status,
    headers: { ...HEADERS, "cache-control": "no-store", "content-type": type, ...headers },
  });
}

/** Creates an answer that is JSON. */
export function answerJson(status: number, json: string, headers: Readonly<Record<string, string>> = {}): Response {
  return answer(status, json, TYPES.json, headers);
}

/** Creates the answer for a client that cannot follow anything, because too many others do. */
export function tooManyClients(): Response {
  return refuse(503, "Too many streaming clients", { "retry-after": "10" });
}

/** Creates an answer that says in one sentence why there is no other. */
export function refuse(status: number, error: string, headers: Readonly<Record<string, string>> = {}): Response {
  return answerJson(status, `${visibleJson(JSON.stringify({ version: 1, error }))}\n`, headers);
}
