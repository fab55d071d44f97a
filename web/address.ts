import { UsageError } from "@ncolony/core";

/** An address to listen on. */
export interface Address {
  /** As it was given: `127.0.0.1:9180`, `[::1]:9180`, `localhost:9180`. */
  readonly text: string;
  /** The host, without brackets, in lower case. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
  /** Whether only this machine can reach it. */
  readonly isLoopback: boolean;
}

/** Parses the value of `--listen`. @throws {UsageError} If it is invalid. */
export function parseAddress(text: string): Address {
  const [, ip6, name, digits] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const hostname = (ip6 ?? name ?? "").toLowerCase();
  const port = Number(digits);
  if (hostname === "" || port > 65_535) {
    throw new UsageError(
      `--listen must be HOST:PORT, such as 127.0.0.1:9180 or [::1]:9180: got ${JSON.stringify(text)}`,
    );
  }
  return { text, hostname, port, isLoopback: isLoopback(hostname) };
}

/** Whether a host is this machine, whatever its name servers say. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/** An IP address as browsers write it: they turn other forms of it into this one. */
const IP = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/**
 * Whether a request may be answered that calls this server by this name. A page of somebody else, whose name leads to
 * this machine, calls it by that name: it must not read the answer (DNS rebinding). No name leads to an IP address.
 *
 * @param host The header `Host`. Null if there is none.
 * @param names The names that are allowed besides IP addresses and `localhost`, in lower case.
 */
export function isOurName(host: string | null, names: readonly string[]): boolean {
  const [, name = ""] = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host?.toLowerCase() ?? "") ?? [];
  return name === "localhost" || IP.test(name) || names.includes(name.replace(/\.$/, ""));
}
