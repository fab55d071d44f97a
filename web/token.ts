/** The token of `Authorization: Bearer TOKEN`. */
const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

/** The least length of a token, in characters. */
const MIN_LENGTH = 16;

/** What clients must have to see anything: a token, or a cookie that only its owner was given. */
export class Token {
  readonly #token: Uint8Array;
  readonly #cookie: string;
  readonly #cookieDigest: Uint8Array;

  private constructor(token: Uint8Array, cookie: string, cookieDigest: Uint8Array) {
    this.#token = token;
    this.#cookie = cookie;
    this.#cookieDigest = cookieDigest;
  }

  /** Creates one from a text. @throws {Error} If it is too short, or has characters that no header can have. */
  static async of(token: string): Promise<Token> {
    if (token === "") throw new Error("the file is empty");
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new Error("the token must be of printable ASCII characters without spaces");
    }
    if (token.length < MIN_LENGTH) throw new Error(`the token must have at least ${MIN_LENGTH} characters`);
    // It has nothing to do with the token, so that nobody can try tokens by trying cookies.
    const cookie = crypto.getRandomValues(new Uint8Array(32)).toHex();
    return new Token(await digest(token), cookie, await digest(cookie));
  }

  /** The value of the cookie for who has the token. */
  get cookie(): string {
    return this.#cookie;
  }

  /** Whether a text is the token. */
  async is(text: string): Promise<boolean> {
    return isSame(await digest(text), this.#token);
  }

  /** Whether a text is the cookie. */
  async isCookie(text: string): Promise<boolean> {
    return isSame(await digest(text), this.#cookieDigest);
  }
}

/** Returns the token that a request has in its header. Null if it has none. */
export function bearerOf({ headers }: Request): string | null {
  return BEARER.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}

/** Returns the value of a cookie of a request. Null if it has none. */
export function cookieOf({ headers }: Request, name: string): string | null {
  const cookies = (headers.get("cookie") ?? "").split(";").map((cookie) => cookie.trim());
  return cookies.find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** Compares two digests in a time that does not depend on where they differ. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.reduce((differences, byte, index) => differences | byte ^ b[index]!, 0) === 0;
}
