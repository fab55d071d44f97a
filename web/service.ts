import {
  denoClock,
  describeError,
  formatAddress,
  HttpServer,
  logInternalError,
  type Output,
  type ProgramService,
  readSecret,
  Run,
  Waker,
} from "@ncolony/host";
import { StatusReader, watchNames } from "@ncolony/host/read-tool";
import { formatColony } from "./change.ts";
import { Colony } from "./colony.ts";
import { Guard } from "./guard.ts";
import { Hub } from "./hub.ts";
import { LogSource } from "./log_source.ts";
import type { WebOptions } from "./options.ts";
import { Peer } from "./peer.ts";
import { PeerSource } from "./peer_source.ts";
import { Router } from "./router.ts";
import { INTERVAL_MS, Samples } from "./samples.ts";
import { Token } from "./token.ts";

/** How often everything is looked at, in milliseconds. A watch tells of most changes at once. */
const LOOK_MS = 1000;

/** The least time between two looks, in milliseconds. */
const GAP_MS = 10;

/** How often clients are shown that their streams live, in milliseconds. */
const BEAT_MS = 15_000;

/** How long writing the last lines of the log may take, in milliseconds. */
const FLUSH_MS = 1000;

/** Shows a colony over HTTP. */
export class WebService implements ProgramService {
  readonly #options: WebOptions;
  readonly #output: Output;
  readonly #reader: StatusReader;
  readonly #colony: Colony;
  readonly #samples = new Samples();
  readonly #waker = new Waker(denoClock);
  readonly #run = new Run();
  #peers: readonly Peer[] = [];
  #hub!: Hub;
  #server!: HttpServer;
  #isStopping = false;
  #exitCode = 0;

  /** Creates a service that does not listen yet. */
  constructor(options: WebOptions, output: Output) {
    this.#options = options;
    this.#output = output;
    this.#reader = new StatusReader(options.status);
    this.#colony = new Colony(this.#reader, output.log);
  }

  start(): Promise<void> {
    return this.#run.start(() => this.#open(), () => this.#finish());
  }

  get ended(): Promise<number> {
    return this.#run.ended;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#waker.wake();
    if (this.#run.isStarted) await this.ended;
  }

  fail(error: unknown): void {
    logInternalError(this.#output.log, error);
    this.#exitCode = 1;
    this.#isStopping = true;
    this.#waker.wake();
  }

  /** Stops the service. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #open(): Promise<void> {
    const { listen, hosts, logs, tokenFile, peers } = this.#options;
    const { log } = this.#output;
    const token = tokenFile === null ? null : await tokenIn(tokenFile);
    const publish = (host: string, change: string) => this.#hub.publish(host, change);
    this.#peers = peers.map(({ name, url, tokenFile }) => {
      return new Peer({ name, url, token: tokenFile === null ? null : secretIn(tokenFile) }, publish, log);
    });
    const own = { host: null, snapshot: () => this.#colony.snapshot() };
    this.#hub = new Hub([own, ...this.#peers]);
    const { streams } = this.#hub;
    const guard = new Guard([listen.hostname, ...hosts], token, () => `ncolony-${this.#server.address.port}`, log);
    const router = new Router({
      guard,
      reader: this.#reader,
      colony: this.#colony,
      samples: this.#samples,
      hub: this.#hub,
      logs: new LogSource(logs, streams),
      peers: new PeerSource(this.#peers, streams),
    });
    this.#colony.update(true);
    this.#server = new HttpServer(listen, (request, client) => router.answer(request, client), log);
    this.#server.open();
    log.info(`listening on http://${formatAddress(this.#server.address)}/`);
    for (const peer of this.#peers) peer.run().catch((error) => this.fail(error));
  }

  async #finish(): Promise<number> {
    try {
      await this.#follow();
    } catch (error) {
      this.fail(error);
    }
    for (const peer of this.#peers) peer.close();
    this.#hub.streams.close();
    this.#colony.close();
    this.#server.close();
    await this.#output.flush(FLUSH_MS);
    return this.#exitCode;
  }

  /** Follows what changes in the status directory. */
  async #follow(): Promise<void> {
    let watch: { readonly inode: number | string | null; readonly names: Disposable | null } = {
      inode: null,
      names: null,
    };
    let [look, sample, beat] = [0, 0, denoClock.now() + BEAT_MS];
    while (!this.#isStopping) {
      const now = denoClock.now();
      const change = this.#colony.update(now >= look);
      if (change !== null) this.#hub.publish(null, formatColony(change));
      if (this.#colony.inode !== watch.inode || watch.names === null && now >= look) {
        watch.names?.[Symbol.dispose]();
        watch = { inode: this.#colony.inode, names: this.#watch() };
      }
      if (now >= look) look = now + LOOK_MS;
      if (now >= sample) {
        this.#samples.take(this.#colony.view);
        sample = now + INTERVAL_MS;
      }
      if (now >= beat) {
        this.#hub.streams.beat();
        beat = now + BEAT_MS;
      }
      await this.#waker.wait(Math.min(look, sample, beat));
      const pause = now + GAP_MS - denoClock.now();
      if (pause > 0) await new Promise<void>((resolve) => denoClock.after(pause, resolve));
    }
    watch.names?.[Symbol.dispose]();
  }

  #watch(): Disposable | null {
    return watchNames(this.#options.status, (name) => {
      this.#colony.touch(name);
      this.#waker.wake();
    });
  }
}

async function tokenIn(path: string): Promise<Token> {
  return await Token.of(secretIn(path)).catch((error) => {
    throw new Error(`Cannot use the token in ${JSON.stringify(path)}: ${error.message}`);
  });
}

function secretIn(path: string): string {
  try {
    return readSecret(path);
  } catch (error) {
    throw new Error(`Cannot read the token in ${JSON.stringify(path)}: ${describeError(error)}`);
  }
}
