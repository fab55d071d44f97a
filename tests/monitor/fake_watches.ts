import type { Touch, Watch, WatchListener } from "@ncolony/host";
import type { DirectoryEvent, FakeDirectory } from "./fake_directory.ts";

interface Open {
  readonly listener: WatchListener;
  /** The directories that it watches, and which ones those were when it was made. */
  readonly ids: ReadonlyMap<string, string | null>;
}

/** Watches on directories in memory: they tell what is done to those, or what a test says. */
export class FakeWatches {
  /** Why no watch can be made, or null. */
  fault: string | null = null;
  /** Whether nothing is told unless a test says so, as on a network's file system. */
  isSilent = false;
  /** Called when one is to hold named pipes open. */
  onHold: () => void = () => {};
  /** Whether watches give no answer. */
  isHanging = false;
  /** How many watches were made. */
  made = 0;
  /** The file by which the last one is asked whether it answers. */
  probe: string | null = null;
  /** How often one was asked for. */
  asked = 0;
  readonly #open = new Set<Open>();
  readonly #directoryAt: (path: string) => FakeDirectory;

  constructor(directoryAt: (path: string) => FakeDirectory) {
    this.#directoryAt = directoryAt;
  }

  /** How many watches are open. */
  get open(): number {
    return this.#open.size;
  }

  /** The directories that are watched. */
  get paths(): string[] {
    return [...this.#open].flatMap(({ ids }) => [...ids.keys()]);
  }

  /** Makes a watch. */
  watch(paths: readonly string[], listener: WatchListener, probe: string | null = null): Watch {
    this.asked++;
    this.probe = probe;
    if (this.fault !== null) throw new Error(this.fault);
    const ids = new Map(paths.map((path) => [path, this.#directoryAt(path).id]));
    const missing = paths.find((path) => ids.get(path) === null);
    if (missing !== undefined) throw new Error(`Cannot watch ${missing}: it is not there`);
    this.made++;
    const open = { listener, ids };
    this.#open.add(open);
    return {
      holdFifos: () => this.onHold(),
      check: () => !this.isHanging,
      close: () => Promise.resolve(void this.#open.delete(open)),
    };
  }

  /** Tells whoever watches what was done to a directory, unless that is another one by now. */
  pass(directory: FakeDirectory, event: DirectoryEvent): void {
    if (this.isSilent) return;
    for (const { listener, ids } of this.#open) {
      if (!ids.has(directory.path) || directory.id !== null && directory.id !== ids.get(directory.path)) continue;
      if (event === "rescan") listener.rescan(directory.path);
      else listener.touched(directory.path, event.name, event.touch);
    }
  }

  /** Tells that a name changed. */
  touched(directory: FakeDirectory, name: string, touch: Touch = "changed"): void {
    for (const { listener } of this.#open) listener.touched(directory.path, name, touch);
  }

  /** Tells that anything may have changed. */
  rescan(): void {
    for (const { listener } of this.#open) listener.rescan(null);
  }

  /** Ends every watch that is open. */
  fail(reason: string): void {
    const open = [...this.#open];
    this.#open.clear();
    for (const { listener } of open) listener.failed(reason);
  }
}
