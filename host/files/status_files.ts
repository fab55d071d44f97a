import { fileNameFault } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { resolve } from "@std/path/posix/resolve";
import { faultOf } from "../deno_errors.ts";
import type { Clock, StatusFiles, TrustOptions } from "../types.ts";
import { EventFile } from "./event_file.ts";
import { lstat } from "./lstat.ts";
import { readSmallFile } from "./open.ts";
import { makeMissing } from "./own_directory.ts";
import { publish, Published } from "./published.ts";

/** The longest file that is read, in bytes. */
const MAX_BYTES = 262_144;

/** The directories in which other programs report about processes. One that exists may belong to another user. */
const OTHERS = [".beatcheck", ".httpcheck", ".scheduler"];

/** The files that a monitor writes about its processes and itself. */
export class DenoStatusFiles implements StatusFiles {
  readonly path: string;
  readonly #history: string;
  readonly #trust: TrustOptions;
  readonly #files: Published;
  readonly #events: EventFile;

  /** Creates the directory if it is missing. @throws {Error} If that fails, or if other users may write it. */
  constructor(path: string, trust: TrustOptions, clock: Clock) {
    this.path = path;
    this.#history = join(path, ".history");
    this.#trust = trust;
    this.#files = new Published([path, this.#history], trust, clock);
    this.#events = new EventFile(path);
  }

  get isHeld(): boolean {
    return this.#files.isHeld;
  }

  async lock(): Promise<string | null> {
    return await this.#files.lock() ?? this.#makeOthers();
  }

  names(): string[] | string {
    try {
      return [...Deno.readDirSync(this.path)].map(({ name }) => name).filter((name) => fileNameFault(name) === null);
    } catch (error) {
      return faultOf(error);
    }
  }

  read(name: string): { readonly status: string; readonly history: string } | null {
    try {
      const status = readSmallFile(join(this.path, name), MAX_BYTES);
      return status === null ? null : { status, history: readSmallFile(join(this.#history, name), MAX_BYTES) ?? "" };
    } catch {
      // It cannot be read, so it cannot be continued.
      return null;
    }
  }

  write(name: string, { status, history }: { readonly status: string; readonly history: string }): string | null {
    return this.#files.change(() => {
      publish(this.#history, name, history);
      publish(this.path, name, status);
    });
  }

  writeOwn(name: ".monitor" | ".usage", text: string): string | null {
    return this.#files.change(() => publish(this.path, name, text));
  }

  lastEventId(): number {
    return this.#events.lastId();
  }

  record(lines: string): string | null {
    return this.#files.change(() => this.#events.append(lines));
  }

  remove(name: string): string | null {
    return this.#files.change(() => {
      for (const directory of [this.path, this.#history]) {
        if (lstat(join(directory, name)) !== null) Deno.removeSync(join(directory, name));
      }
    });
  }

  restore(): string | null {
    return this.#files.restore() ?? this.#makeOthers();
  }

  close(): void {
    this.#events.close();
    this.#files.close();
  }

  #makeOthers(): string | null {
    return this.#files.change(() => OTHERS.forEach((name) => makeMissing(resolve(this.path, name), this.#trust)));
  }
}
