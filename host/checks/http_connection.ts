import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import type { Socket } from "node:net";
import { openDirectory } from "../files/directory.ts";
import { isGranted } from "../permission.ts";
import type { HttpTarget } from "./http.ts";

/** The longest file of certificates that is read: those of all known authorities are a quarter of that. */
const MAX_CA_BYTES = 1024 ** 2;

/**
 * Deno's node:http and its like. To import them, also later, would have Deno prepare for them at the start of any program, 50 ms,
 * and so would a look at `process` before they are needed.
 */
export const NODE = {
  // deno-lint-ignore no-process-global -- as above
  http: () => process.getBuiltinModule("node:http"),
  // deno-lint-ignore no-process-global -- as above
  https: () => process.getBuiltinModule("node:https"),
  // deno-lint-ignore no-process-global -- as above
  net: () => process.getBuiltinModule("node:net"),
  // deno-lint-ignore no-process-global -- as above
  tls: () => process.getBuiltinModule("node:tls"),
};

/** Makes a connection. */
export type Connect = () => Socket;

/** The headers of a request, by their names in lower case. */
export function headersOf({ host }: URL, target: HttpTarget): Record<string, string> {
  const headers = new Headers({ "user-agent": "ncolony-httpcheck", host });
  for (const [name, value] of Object.entries(target.headers)) headers.set(name, value);
  return Object.fromEntries(headers);
}

/** Which permission is missing to connect, or null. To find out by trying, a name looks like one that is not known. */
export function whyNotAllowed(url: URL, { unix }: HttpTarget): string | null {
  if (unix === null) {
    return isGranted({ name: "net", host: `${url.hostname}:${portOf(url)}` })
      ? null
      : "that needs --allow-net for its host";
  }
  const needed = [{ name: "read", path: unix }, { name: "write", path: unix }] as const;
  return needed.every(isGranted) ? null : UNIX_PERMISSIONS;
}

/** What a unix socket needs. */
export const UNIX_PERMISSIONS =
  'that needs --allow-read=PATH, --allow-write=PATH and --allow-net=unix:PATH for its "unix"';

/** Finds out how a server is connected to; or says why that cannot be done. */
export function connectTo(url: URL, target: HttpTarget): { connect: Connect } | { fault: string } {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const { unix } = target;
  if (url.protocol === "http:") {
    const { connect } = NODE.net();
    return { connect: () => unix === null ? connect({ host, port: portOf(url) }) : connect({ path: unix }) };
  }
  const ca = target.ca === null ? null : readCertificates(target.ca);
  if (ca !== null && "fault" in ca) return { fault: `its "ca" ${ca.fault}` };
  const { connect } = NODE.tls();
  const options = {
    // With a path, whose name the certificate must have where TLS sends none.
    host,
    ...(unix === null ? { port: portOf(url) } : { path: unix }),
    ...serverName(headersOf(url, target)["host"]!),
    rejectUnauthorized: !target.isInsecure,
    ...(ca === null ? {} : { ca: ca.source }),
  };
  return { connect: () => connect(options) };
}

/** Who is connected to must have a certificate for the name that it is asked by; TLS sends no address as a name. */
function serverName(host: string): { servername?: string } {
  const { hostname } = new URL(`https://${host}`);
  return /^\[|^[\d.]+$/.test(hostname) ? {} : { servername: hostname };
}

function portOf({ protocol, port }: URL): number {
  return Number(port || (protocol === "https:" ? 443 : 80));
}

/** Reads certificates, or says why that cannot be done. Waits for nobody, whatever stands at the path. */
function readCertificates(path: string): { readonly source: string } | { readonly fault: string } {
  const directory = openDirectory(dirname(path), { maxBytes: MAX_CA_BYTES, followLinks: true });
  const entry = directory.read(basename(path))?.entry ?? { fault: "is not there" };
  if ("fault" in entry || entry.source.includes("-----BEGIN CERTIFICATE-----")) return entry;
  return { fault: "holds no certificate in PEM" };
}
