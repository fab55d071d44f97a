import { UNIX_PERMISSIONS } from "./http_connection.ts";

/** The result of a request: an answer; no answer, or none in time; or a request that is not possible at all. */
export type Answer =
  | { readonly type: "status"; readonly status: number; /** What its body suggests. */ readonly hint?: string }
  | { readonly type: "broken"; readonly reason: string }
  | { readonly type: "impossible"; readonly reason: string };

/** The parts of a node:http error that are used. */
interface NodeError {
  readonly message: string;
  readonly code?: unknown;
  readonly rawPacket?: unknown;
}

/** How a failed request was made. */
interface Asked {
  /** Whether it used TLS. */
  readonly isSecure: boolean;
  /** Whether it used a Unix socket. */
  readonly isUnix: boolean;
  /** Whether the server sent no byte. */
  readonly isSilent: boolean;
}

/** The first byte of an alert, which a TLS server sends to a client that does not speak TLS. */
const TLS_ALERT = 0x15;

/** What each error means. Deno's own messages show the URL. */
const BROKEN: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, "connection refused"],
  [/^(ECONNRESET|EPIPE|ECONNABORTED)$/, "connection closed before a response"],
  [/^(ENOTFOUND|EAI_\w+)$/, "host not found"],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/, "host is unreachable"],
  [/^ETIMEDOUT$/, "connection timed out"],
  [/^HPE_HEADER_OVERFLOW$/, "the response headers are too long"],
  [/^HPE_/, "the response is not HTTP"],
  [/^(ERR_SSL_WRONG_VERSION_NUMBER)$/, "the server does not speak TLS: the URL may need to begin with http://"],
  [/SSL|TLS|EPROTO/, "TLS connection failed"],
];

/** What is wrong with the path to a Unix socket. */
const UNIX: readonly (readonly [RegExp, "broken" | "impossible", string])[] = [
  [/^ENOENT$/, "broken", 'no socket at the path in "unix"'],
  [/^(EACCES|EPERM)$/, "impossible", 'permission denied for the path in "unix"'],
  [/^(ENOTDIR|ENAMETOOLONG|EINVAL|ELOOP)$/, "impossible", 'invalid socket path in "unix"'],
];

/** What is wrong with a certificate. No restart fixes that, so it is not counted as a bad answer. */
const CERTIFICATE: readonly (readonly [RegExp, string])[] = [
  [/^CERT_HAS_EXPIRED$/, "the server's certificate has expired"],
  [/^CERT_NOT_YET_VALID$/, "the server's certificate is not valid yet, or the clock is wrong"],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "the server's certificate does not match the host name in the URL or the Host header",
  ],
  [
    /^(UNABLE_TO_(VERIFY|GET)\w*|(DEPTH_ZERO_)?SELF_SIGNED_CERT\w*)$/,
    'the server\'s certificate is not from a trusted CA, or not for a server: set "ca" to a file with its CA certificate',
  ],
  [/^(CERT_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/, "the server's certificate is not valid"],
];

/** Returns the answer with a status, and with a hint if the first bytes of its body suggest one. */
export function answerOf(status: number, isSecure: boolean, body: string): Answer {
  const isMixedUp = !isSecure && status === 400 && /\bHTTPS\b|\bSSL\b/i.test(body);
  return { type: "status", status, ...(isMixedUp ? { hint: "the URL may need to begin with https://" } : {}) };
}

/** Returns what an error says about a server. Shows neither the URL nor what was sent. */
export function explain(error: unknown, { isSecure, isUnix, isSilent }: Asked): Answer {
  if (error instanceof Deno.errors.NotCapable) {
    return { type: "impossible", reason: isUnix ? UNIX_PERMISSIONS : "needs --allow-net for the host of the URL" };
  }
  const { message, code: given, rawPacket }: NodeError = error instanceof Error ? error : new Error(String(error));
  const code = typeof given === "string" ? given : "";
  const wrong = isSecure ? CERTIFICATE.find(([pattern]) => pattern.test(code)) : undefined;
  if (wrong !== undefined) return { type: "impossible", reason: wrong[1] };
  const way = isUnix ? UNIX.find(([pattern]) => pattern.test(code)) : undefined;
  if (way !== undefined) return { type: way[1], reason: way[2] };
  if (!isSecure && rawPacket instanceof Uint8Array && rawPacket[0] === TLS_ALERT) {
    return { type: "broken", reason: "the server speaks TLS: the URL may need to begin with https://" };
  }
  if (!isSecure && isSilent && (code === "ECONNRESET" || message === "socket hang up")) {
    return {
      type: "broken",
      reason: "connection closed without a response (if the server speaks TLS, the URL must begin with https://)",
    };
  }
  const known = BROKEN.find(([pattern]) => pattern.test(code))?.[1];
  if (known !== undefined) return { type: "broken", reason: known };
  if (message === "socket hang up") return { type: "broken", reason: "connection closed before a response" };
  return {
    type: "broken",
    reason: /^[A-Z_]{3,40}$/.test(code) ? `the request failed (${code})` : "the request failed",
  };
}
