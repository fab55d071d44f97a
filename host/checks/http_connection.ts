import type { HttpCheck } from "@ncolony/core";
import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import type { Socket } from "node:net";
import { openDirectory } from "../files/directory.ts";
import { NODE } from "../node.ts";
import { isGranted } from "../permission.ts";

/** The longest file of certificates that is read, in bytes. All public authorities take a quarter of that. */
const MAX_CA_BYTES = 1024 ** 2;

/** What to request, and how to reach the server. */
export type HttpTarget = Pick<HttpCheck, "url" | "headers" | "unix" | "ca" | "isInsecure">;

/** Opens a connection. */
export type Connect = () => Socket;

/** Returns the headers of a request, by their lowercase names. */
export function headersOf({ host }: URL, target: HttpTarget): Record<string, string> {
  const headers = new Headers({ "user-agent": "ncolony-httpcheck", host });
  for (const [name, value] of Object.entries(target.headers)) headers.set(name, value);
  return Object.fromEntries(headers);
}

/** Returns which permission is missing to connect, or null. Trying instead would make a host name seem unknown. */
export function whyNotAllowed(url: URL, { unix }: HttpTarget): string | null {
  if (unix === null) {
    return isGranted({ name: "net", host: `${url.hostname}:${portOf(url)}` })
      ? null
      : "needs --allow-net for the host of the URL";
  }
  const needed = [{ name: "read", path: unix }, { name: "write", path: unix }] as const;
  return needed.every(isGranted) ? null : UNIX_PERMISSIONS;
}

/** The permissions that a Unix socket needs. */
export const UNIX_PERMISSIONS =
  'needs --allow-read=PATH, --allow-write=PATH and --allow-net=unix:PATH for the path in "unix"';

/** Returns how to connect to a server, or why that is not possible. */
export function connectTo(url: URL, target: HttpTarget): { connect: Connect } | { fault: string } {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const { unix } = target;
  if (url.protocol === "http:") {
    const { connect } = NODE.net();
    return { connect: () => unix === null ? connect({ host, port: portOf(url) }) : connect({ path: unix }) };
  }
  const ca = target.ca === null ? null : readCertificates(target.ca);
  if (ca !== null && "fault" in ca) return { fault: `"ca" file: ${ca.fault}` };
  const { connect } = NODE.tls();
  const options = {
    // Even with a path: if TLS sends no name, the certificate must be for this host.
    host,
    ...(unix === null ? { port: portOf(url) } : { path: unix }),
    ...serverName(headersOf(url, target)["host"]!),
    rejectUnauthorized: !target.isInsecure,
    ...(ca === null ? {} : { ca: ca.source }),
  };
  return { connect: () => connect(options) };
}

/** Returns the name that TLS sends, and that the certificate must be for. None for an address. */
function serverName(host: string): { servername?: string } {
  const { hostname } = new URL(`https://${host}`);
  return /^\[|^[\d.]+$/.test(hostname) ? {} : { servername: hostname };
}

function portOf({ protocol, port }: URL): number {
  return Number(port || (protocol === "https:" ? 443 : 80));
}

/** Reads certificates, or returns why that failed. Never blocks, whatever is at the path. */
function readCertificates(path: string): { readonly source: string } | { readonly fault: string } {
  const directory = openDirectory(dirname(path), { maxBytes: MAX_CA_BYTES, followLinks: true });
  const entry = directory.read(basename(path))?.entry ?? { fault: "no such file or directory" };
  if ("fault" in entry || entry.source.includes("-----BEGIN CERTIFICATE-----")) return entry;
  return { fault: "contains no PEM certificate" };
}
