import { UNIX_PERMISSIONS } from "./http_connection.ts";

/** What came of asking: an answer; none, or none in time; or nothing, for it cannot be asked at all. */
export type Answer =
  | { readonly type: "status"; readonly status: number; /** What its body lets guess. */ readonly hint?: string }
  | { readonly type: "broken"; readonly reason: string }
  | { readonly type: "impossible"; readonly reason: string };

/** What is seen of an error of node:http. */
interface NodeError {
  readonly message: string;
  readonly code?: unknown;
  readonly rawPacket?: unknown;
}

/** What an error says of how somebody may be reached. */
interface Asked {
  /** Whether it was asked over TLS. */
  readonly isSecure: boolean;
  /** Whether it was asked on a unix socket. */
  readonly isUnix: boolean;
  /** Whether not a byte came. */
  readonly isSilent: boolean;
}

/** The first byte of what TLS says to who does not speak it: an alert. */
const TLS_ALERT = 0x15;

/** What each error means; Deno's own words show the URL. */
const BROKEN: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, "connection refused"],
  [/^(ECONNRESET|EPIPE|ECONNABORTED)$/, "connection closed before an answer came"],
  [/^(ENOTFOUND|EAI_\w+)$/, "its host is not known"],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/, "its host cannot be reached"],
  [/^ETIMEDOUT$/, "connection timed out"],
  [/^HPE_HEADER_OVERFLOW$/, "the head of its answer is too long"],
  [/^HPE_/, "what it answers is not HTTP"],
  [/^(ERR_SSL_WRONG_VERSION_NUMBER)$/, "it does not speak TLS: its URL may have to begin with http://"],
  [/SSL|TLS|EPROTO/, "no good TLS connection"],
];

/** What is wrong with the way to a unix socket. */
const UNIX: readonly (readonly [RegExp, "broken" | "impossible", string])[] = [
  [/^ENOENT$/, "broken", "there is no socket at"],
  [/^(EACCES|EPERM)$/, "impossible", "permission denied at"],
  [/^(ENOTDIR|ENAMETOOLONG|EINVAL|ELOOP)$/, "impossible", "no socket can be at"],
];

/** What is wrong with a certificate: no restart mends that, so it counts as nothing. */
const CERTIFICATE: readonly (readonly [RegExp, string])[] = [
  [/^CERT_HAS_EXPIRED$/, "its certificate has expired"],
  [/^CERT_NOT_YET_VALID$/, "its certificate is not valid yet, or the clock is wrong"],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, "its certificate is for another name than the URL's, or than the header Host"],
  [
    /^(UNABLE_TO_(VERIFY|GET)\w*|(DEPTH_ZERO_)?SELF_SIGNED_CERT\w*)$/,
    'its certificate is signed by nobody that is trusted here, or not meant for a server: name who may sign it in "ca"',
  ],
  [/^(CERT_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/, "its certificate is not valid"],
];

/** What a status says, and where its body begins with this. */
export function answerOf(status: number, isSecure: boolean, body: string): Answer {
  const isMixedUp = !isSecure && status === 400 && /\bHTTPS\b|\bSSL\b/i.test(body);
  return { type: "status", status, ...(isMixedUp ? { hint: "its URL may have to begin with https://" } : {}) };
}

/** What an error says of a server that was asked; nothing of its URL, nor of what was sent. */
export function explain(error: unknown, { isSecure, isUnix, isSilent }: Asked): Answer {
  if (error instanceof Deno.errors.NotCapable) {
    return { type: "impossible", reason: isUnix ? UNIX_PERMISSIONS : "that needs --allow-net for its host" };
  }
  const { message, code: given, rawPacket }: NodeError = error instanceof Error ? error : new Error(String(error));
  const code = typeof given === "string" ? given : "";
  const wrong = isSecure ? CERTIFICATE.find(([pattern]) => pattern.test(code)) : undefined;
  if (wrong !== undefined) return { type: "impossible", reason: wrong[1] };
  const way = isUnix ? UNIX.find(([pattern]) => pattern.test(code)) : undefined;
  if (way !== undefined) return { type: way[1], reason: `${way[2]} its "unix"` };
  if (!isSecure && rawPacket instanceof Uint8Array && rawPacket[0] === TLS_ALERT) {
    return { type: "broken", reason: "it speaks TLS: its URL may have to begin with https://" };
  }
  if (!isSecure && isSilent && (code === "ECONNRESET" || message === "socket hang up")) {
    return {
      type: "broken",
      reason: "connection closed without a word (if it speaks TLS, its URL begins with https://)",
    };
  }
  const known = BROKEN.find(([pattern]) => pattern.test(code))?.[1];
  if (known !== undefined) return { type: "broken", reason: known };
  if (message === "socket hang up") return { type: "broken", reason: "connection closed before an answer came" };
  return {
    type: "broken",
    reason: /^[A-Z_]{3,40}$/.test(code) ? `the request failed (${code})` : "the request failed",
  };
}
