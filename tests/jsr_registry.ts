import { join } from "@std/path";

type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** A local JSR on the loopback, without checks. It stores what `deno publish` sends, and serves it. */
export class JsrRegistry implements AsyncDisposable {
  readonly #packages = new Map<string, Map<string, Files>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr> = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => await this.#answer(request),
  );

  /** The value for `JSR_URL`. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** An environment in which `deno publish` runs as a GitHub job, which needs no token of its own. */
  get publisherEnv(): Record<string, string> {
    return {
      JSR_URL: this.url,
      GITHUB_ACTIONS: "true",
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.url}oidc?`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "none",
      DISABLE_JSR_PROVENANCE: "1",
    };
  }

  /** The packages, in the order in which they were added. */
  get names(): string[] {
    return [...this.#packages.keys()];
  }

  /** Adds a directory as a package, with the name and version in its deno.json. */
  addDirectory(path: string): void {
    const files: Files = new Map();
    for (const { name } of Deno.readDirSync(path)) files.set(`/${name}`, Deno.readFileSync(join(path, name)));
    const { name, version } = configIn(files);
    this.#packages.set(name, new Map([[version, files]]));
  }

  /** Returns the files of a package, such as `/mod.ts`; none if it does not exist. */
  filesOf(name: string, version: string): string[] {
    return [...this.#packages.get(name)?.get(version)?.keys() ?? []];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const version = /^\/api\/scopes\/(.+)\/packages\/(.+)\/versions\/(.+)$/.exec(pathname);
    if (version !== null && request.method === "POST") {
      const [, scope, name, number] = version;
      this.#publish(`@${scope}/${name}`, number, await untar(request.body!));
      return Response.json({ id: "1", status: "success", error: null });
    }
    if (/^\/api\/scopes\/[^/]+\/packages\/[^/]+$/.test(pathname)) return Response.json({});
    if (pathname === "/oidc") return Response.json({ value: "none" });
    const body = await this.#find(pathname);
    return body === undefined ? new Response(null, { status: 404 }) : new Response(body);
  }

  #publish(name: string, version: string, files: Files): void {
    const versions = this.#packages.get(name) ?? new Map<string, Files>();
    this.#packages.set(name, versions.set(version, files));
  }

  async #find(pathname: string): Promise<Uint8Array<ArrayBuffer> | string | undefined> {
    const [, name, rest] = /^\/(@[^/]+\/[^/]+)\/(.+)$/.exec(pathname) ?? [];
    const versions = this.#packages.get(name);
    if (versions === undefined) return undefined;
    if (rest === "meta.json") return metaOf(name, versions);
    const version = /^(.+)_meta\.json$/.exec(rest)?.[1];
    if (version !== undefined && versions.has(version)) return await versionMetaOf(versions.get(version)!);
    const [number, ...path] = rest.split("/");
    return versions.get(number)?.get(`/${path.join("/")}`);
  }
}

function metaOf(fullName: string, versions: ReadonlyMap<string, Files>): string {
  const [scope, name] = fullName.slice(1).split("/");
  const numbers = [...versions.keys()];
  return JSON.stringify({
    scope,
    name,
    latest: numbers.at(-1),
    versions: Object.fromEntries(numbers.map((it) => [it, {}])),
  });
}

async function versionMetaOf(files: Files): Promise<string> {
  const { exports } = configIn(files);
  const manifest: Record<string, { size: number; checksum: string }> = {};
  for (const [path, content] of files) {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
    manifest[path] = { size: content.length, checksum: `sha256-${hash}` };
  }
  return JSON.stringify({ manifest, exports: typeof exports === "string" ? { ".": exports } : exports });
}

function configIn(files: Files): { name: string; version: string; exports: string | Record<string, string> } {
  return JSON.parse(new TextDecoder().decode(files.get("/deno.json")));
}

async function untar(gzipped: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Files> {
  const bytes = new Uint8Array(await new Response(gzipped.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  const field = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to)).replace(/\0.*/s, "");
  const files: Files = new Map();
  for (let at = 0; bytes[at] !== 0;) {
    const path = `/${field(at, at + 100)}`;
    const size = parseInt(field(at + 124, at + 136), 8);
    files.set(path, bytes.slice(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
