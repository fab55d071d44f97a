import { UsageError } from "@ncolony/core";
import {
  COLONY_OPTION,
  COMMON_OPTIONS,
  LOG_OPTIONS,
  type Option,
  optionsHelp,
  type Parsed,
  parseDaemon,
  type ParsedArgs,
  placeValue,
  requiredPlace,
  textValue,
} from "@ncolony/host";
import { type Address, parseAddress } from "./address.ts";

/** The parsed command line. */
export interface WebOptions {
  /** The status directory. */
  readonly status: string;
  /** The directory of log files. Null: none are shown. */
  readonly logs: string | null;
  /** Where to listen. */
  readonly listen: Address;
  /** Names by which browsers may call this server, in lower case. */
  readonly hosts: readonly string[];
  /** The file with the token that clients must have. Null: none. */
  readonly tokenFile: string | null;
  /** Other hosts to show. */
  readonly peers: readonly PeerOption[];
}

/** Another host to show. */
export interface PeerOption {
  /** What it is called. */
  readonly name: string;
  /** The address of its page, without a slash at the end. */
  readonly url: string;
  /** The file with the token that its server wants. Null: it wants none. */
  readonly tokenFile: string | null;
}

const DEFAULT_LISTEN = "127.0.0.1:9180";

const OPTIONS: readonly Option[] = [
  { ...COLONY_OPTION, help: "DIR/status and DIR/logs" },
  { name: "status", value: "DIR", help: "the status directory; required without --colony" },
  { name: "logs", value: "DIR", help: "the directory of log files" },
  { name: "listen", value: "HOST:PORT", help: `listen there [${DEFAULT_LISTEN}]` },
  { name: "host", value: "NAME", help: "a host name clients may use; repeatable" },
  { name: "token-file", value: "FILE", help: "clients must have the token in FILE" },
  { name: "peer", value: "NAME=URL", help: "show another server's page too; repeatable" },
  { name: "peer-token-file", value: "NAME=FILE", help: "the token for a peer; repeatable" },
  // It can write nothing.
  ...LOG_OPTIONS.filter(({ name }) => name !== "log-file"),
  ...COMMON_OPTIONS,
];

/** The text of `--help`. */
export const HELP = `ncolony-web: show a colony in a browser. It cannot change anything.

Usage: ncolony-web --colony DIR [options]

${optionsHelp(OPTIONS)}

Any address but a loopback one needs --token-file. The page is at /. Programs
read /api/status, /api/why/NAME, /events, /metrics and /healthz.
Exit codes: 0 stopped as asked, 1 an error, 2 a wrong command line.`;

/** Parses a command line. @throws {UsageError} If it is invalid. The message names the option. */
export function parseOptions(argv: readonly string[]): Parsed<WebOptions> {
  return parseDaemon(argv, OPTIONS, optionsIn);
}

function optionsIn(words: ParsedArgs): WebOptions {
  const listen = parseAddress(textValue(words, "listen", "HOST:PORT") ?? DEFAULT_LISTEN);
  const tokenFile = textValue(words, "token-file", "FILE") ?? null;
  if (tokenFile === null && !listen.isLoopback) {
    throw new UsageError(`--listen ${listen.text} can be reached from other hosts: it needs --token-file`);
  }
  return {
    status: requiredPlace(words, "status"),
    logs: placeValue(words, "logs") ?? null,
    listen,
    hosts: (words.values.get("host") ?? []).map(hostName),
    tokenFile,
    peers: peersOf(words),
  };
}

function hostName(text: string): string {
  if (/^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i.test(text)) return text.toLowerCase();
  throw new UsageError(`--host must be the name of a host, without a port: got ${JSON.stringify(text)}`);
}

function peersOf(words: ParsedArgs): PeerOption[] {
  const tokenFiles = new Map((words.values.get("peer-token-file") ?? []).map((text) => named("peer-token-file", text)));
  const peers = (words.values.get("peer") ?? []).map((text): PeerOption => {
    const [name, value] = named("peer", text);
    return { name, url: peerUrl(value), tokenFile: tokenFiles.get(name) ?? null };
  });
  const names = peers.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`--peer ${twice} is given twice`);
  const nobody = [...tokenFiles.keys()].find((name) => !names.includes(name));
  if (nobody !== undefined) throw new UsageError(`--peer-token-file ${nobody} has no --peer of that name`);
  return peers;
}

/** Splits `NAME=VALUE`. */
function named(option: string, text: string): [name: string, value: string] {
  const [, name, value] = /^([\w.-]{1,64})=(.+)$/s.exec(text) ?? [];
  if (name !== undefined) return [name, value!];
  throw new UsageError(`--${option} must be NAME=…, with a name of letters, digits, ".", "-" and "_"`);
}

function peerUrl(text: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (isPlain && (url.protocol === "http:" || url.protocol === "https:")) return url.href.replace(/\/+$/, "");
  throw new UsageError("--peer must be NAME=URL, and the URL must be http: or https:, without a user or query");
}
