import { assertEquals } from "@std/assert";
import { EventParser } from "../../web/event_parser.ts";
import { until } from "../helpers.ts";
import { Program } from "./program.ts";
import { toolCommand } from "./tools.ts";

/** What an answer says. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A running ncolony-web. `await using` ends it. */
export class Web extends Program {
  /** Starts it on a free port of 127.0.0.1. `permissions` are those besides that to listen. */
  constructor(argv: readonly string[], permissions: readonly string[], listen = "127.0.0.1:0") {
    super([...toolCommand("web/mod.ts", ["--quiet", ...permissions]), "--listen", listen, ...argv]);
  }

  /** Starts one that shows a colony. */
  static of(
    { status, dir }: { readonly status: string; readonly dir: { file(name: string): string } },
    ...argv: string[]
  ): Web {
    const logs = dir.file("logs");
    return new Web(["--status", status, "--logs", logs, ...argv], [
      "--allow-net=127.0.0.1",
      `--allow-read=${status},${logs}`,
    ]);
  }

  /** Returns the port that it listens on. */
  async port(): Promise<number> {
    return await this.numberIn(/listening on http:\/\/.*:(\d+)\/$/);
  }

  /** Returns the URL of a path. */
  async url(path = "/"): Promise<string> {
    return `http://127.0.0.1:${await this.port()}${path}`;
  }

  /** Asks for a path. */
  async ask(path: string, init: RequestInit = {}): Promise<Answered> {
    const response = await fetch(await this.url(path), { redirect: "manual", ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  // deno-lint-ignore no-explicit-any -- tests read what they expect
  async json(path: string, init: RequestInit = {}): Promise<any> {
    const { status, text } = await this.ask(path, init);
    assertEquals(status, 200, text);
    return JSON.parse(text);
  }

  /** Sends bytes on a connection, closes this end, and returns all that comes back. */
  async raw(request: string): Promise<string> {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: await this.port() });
    await connection.write(new TextEncoder().encode(request));
    return await new Response(connection.readable).text();
  }

  /** Follows a stream of events. */
  async follow(path: string, init: RequestInit = {}): Promise<Following> {
    return new Following(await fetch(await this.url(path), init));
  }
}

/** A stream of events that a test follows. `await using` ends it. */
export class Following implements AsyncDisposable {
  /** What it said so far. */
  // deno-lint-ignore no-explicit-any -- tests read what they expect
  readonly events: { readonly event: string; readonly data: any }[] = [];
  /** Whether the server has ended it. */
  isOver = false;
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #done: Promise<void>;

  /** Begins to read. */
  constructor(response: Response) {
    this.response = response;
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    this.#done = this.#read();
  }

  /** Waits for an event for which a function returns something. */
  // deno-lint-ignore no-explicit-any -- tests read what they expect
  async find<T>(what: string, found: (data: any, event: string) => T | false | null | undefined): Promise<T> {
    let seen = 0;
    return await until(what, () => {
      for (; seen < this.events.length; seen++) {
        const { event, data } = this.events[seen]!;
        const value = found(data, event);
        if (value !== false && value !== null && value !== undefined) return value;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
    await this.#done;
  }

  async #read(): Promise<void> {
    const parser = new EventParser(Infinity);
    try {
      for (let read = await this.#reader.read(); !read.done; read = await this.#reader.read()) {
        for (const { event, data } of parser.push(read.value)) this.events.push({ event, data: JSON.parse(data) });
      }
    } catch {
      // The server is gone.
    }
    this.isOver = true;
  }
}
