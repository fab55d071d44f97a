import { denoClock, type Log } from "@ncolony/host";
import { isOurName } from "./address.ts";
import { answer, refuse, TYPES } from "./answers.ts";
import { Failures, RECOVERY_MS } from "./failures.ts";
import { loginPage } from "./pages.ts";
import { bearerOf, cookieOf, type Token } from "./token.ts";

/** The most bytes of a login. */
const MAX_LOGIN = 8192;

/** A path of this server, and nothing that leads elsewhere. */
const OWN_PATH = /^\/(?![/\\])[\x21-\x7e]*$/;

/** The least time from one line of the log about wrong tokens to the next, in milliseconds. */
const QUIET_MS = 60_000;

const LATER = "Too many wrong tokens. Try again in a few seconds";

const RETRY = { "retry-after": `${RECOVERY_MS / 1000}` };

/** Decides who may see anything. */
export class Guard {
  readonly #names: readonly string[];
  readonly #token: Token | null;
  readonly #cookie: () => string;
  readonly #log: Log;
  readonly #failures = new Failures();
  #loggedAt = -Infinity;

  /**
   * Creates a guard.
   *
   * @param names The names by which this server may be called, in lower case.
   * @param token What clients must have. Null: nothing.
   * @param cookie Returns the name of the cookie. Servers on other ports share the cookies of a host.
   * @param log Gets a warning when an address sends too many wrong tokens.
   */
  constructor(names: readonly string[], token: Token | null, cookie: () => string, log: Log) {
    this.#names = names;
    this.#token = token;
    this.#cookie = cookie;
    this.#log = log;
  }

  /** Returns why a request gets no answer, whoever sends it. Null if it may get one. */
  refuse({ method, headers }: Request, { pathname }: URL): Response | null {
    if (!isOurName(headers.get("host"), this.#names)) {
      return refuse(421, "Host name not allowed. To allow it, start ncolony-web with --host NAME");
    }
    if (method === "GET" || method === "HEAD" || method === "POST" && this.#isLogin(pathname)) return null;
    const allow = this.#isLogin(pathname) ? "GET, HEAD, POST" : "GET, HEAD";
    return refuse(405, "This server cannot change anything", { allow });
  }

  /** Whether a client may see everything. */
  async admits(request: Request, client: string): Promise<boolean> {
    if (this.#token === null) return true;
    const cookie = cookieOf(request, this.#cookie());
    // Nobody can guess it, so that others who send wrong tokens from the same address cannot keep its owner out.
    if (cookie !== null && await this.#token.isCookie(cookie)) return true;
    const bearer = bearerOf(request);
    if (bearer === null || this.#failures.isBlocked(client, denoClock.now())) return false;
    const isRight = await this.#token.is(bearer);
    if (!isRight) this.#note(client);
    return isRight;
  }

  /** Answers a client that may see nothing: with a form if it wants a page. */
  turnAway(url: URL, client: string, isPage: boolean): Response {
    const next = url.pathname + url.search;
    if (this.#failures.isBlocked(client, denoClock.now())) return isPage ? askLater(next) : refuse(429, LATER, RETRY);
    const realm = { "www-authenticate": "Bearer" };
    return isPage
      ? answer(401, loginPage(next, null), TYPES.html, realm)
      : refuse(401, "A valid token is required", realm);
  }

  /** Answers a login. Null: the path is that of something else. */
  async login(request: Request, { pathname }: URL, client: string): Promise<Response | null> {
    if (!this.#isLogin(pathname)) return null;
    if (request.method !== "POST") return answer(200, loginPage("/", null), TYPES.html);
    if (this.#failures.isBlocked(client, denoClock.now())) return askLater("/");
    // A page of somebody else must not try tokens.
    const isOurs = ["same-origin", "none", null].includes(request.headers.get("sec-fetch-site"));
    const form = isOurs ? await formOf(request) : null;
    if (form === null) return refuse(400, "This is no login");
    const next = OWN_PATH.test(form.get("next") ?? "") ? form.get("next")! : "/";
    if (!await this.#token!.is((form.get("token") ?? "").trim())) {
      this.#note(client);
      return answer(401, loginPage(next, "Wrong token."), TYPES.html);
    }
    const cookie = `${this.#cookie()}=${this.#token!.cookie}; Path=/; HttpOnly; SameSite=Strict`;
    return answer(303, null, TYPES.text, { location: next, "set-cookie": cookie });
  }

  /** Notes a wrong token. */
  #note(client: string): void {
    const now = denoClock.now();
    this.#failures.note(client, now);
    if (!this.#failures.isBlocked(client, now) || now - this.#loggedAt < QUIET_MS) return;
    this.#loggedAt = now;
    this.#log.warn(`too many wrong tokens from ${client}`);
  }

  #isLogin(pathname: string): boolean {
    return this.#token !== null && pathname === "/login";
  }
}

function askLater(next: string): Response {
  return answer(429, loginPage(next, `${LATER}.`), TYPES.html, RETRY);
}

/** Reads the form of a login. Null if it is too long. */
async function formOf(request: Request): Promise<URLSearchParams | null> {
  let text = "";
  for await (const part of request.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (text.length > MAX_LOGIN) return null;
  }
  return new URLSearchParams(text);
}
