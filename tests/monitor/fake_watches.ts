import type { Touch, Watch, WatchListener } from "@ncolony/host";
import type { DirectoryEvent, FakeDirectory } from "./fake_directory.ts";

interface Open {
  readonly listener: WatchListener;
  /** The watched paths, and the id of the directory at each when the watch was created. */
  readonly ids: ReadonlyMap<string, string | null>;
}

/** Watches on directories in memory. They report the changes of those, or what a test makes them report. */
export class FakeWatches {
  /** Why no watch can be created, or null. */
  fault: string | null = null;
  /** Whether changes are not reported, as on a network file system. */
  isSilent = false;
  /** Called when a watch must hold named pipes open. */
  onHold: () => void = () => {};
  /** Whether watches do not answer. */
  isHanging = false;
  /** How many watches were created. */
  made = 0;
  /** The file that tests whether the last watch answers. */
  probe: string | null = null;
  /** How often a watch was requested. */
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

  /** Creates a watch. */
  watch(paths: readonly string[], listener: WatchListener, probe: string | null = null): Watch {
    this.asked++;
    this.probe = probe;
    if (this.fault !== null) throw new Error(this.fault);
    const ids = new Map(paths.map((path) => [path, this.#directoryAt(path).id]));
    const missing = paths.find((path) => ids.get(path) === null);
    if (missing !== undefined) throw new Error(`Cannot watch ${missing}: no such file or directory`);
    this.made++;
    const open = { listener, ids };
    this.#open.add(open);
    return {
      holdFifos: () => this.onHold(),
      check: () => !this.isHanging,
      close: () => Promise.resolve(void this.#open.delete(open)),
    };
  }

  /** Passes an event to the watches on a directory, unless it was replaced since they were created. */
  pass(directory: FakeDirectory, event: DirectoryEvent): void {
    if (this.isSilent) return;
    for (const { listener, ids } of this.#open) {
      if (!ids.has(directory.path) || directory.id !== null && directory.id !== ids.get(directory.path)) continue;
      if (event === "rescan") listener.rescan(directory.path);
      else listener.touched(directory.path, event.name, event.touch);
    }
  }

  /** Reports that a name changed. */
  touched(directory: FakeDirectory, name: string, touch: Touch = "changed"): void {
    for (const { listener } of this.#open) listener.touched(directory.path, name, touch);
  }

  /** Reports that anything may have changed. */
  rescan(): void {
    for (const { listener } of this.#open) listener.rescan(null);
  }

  /** Makes every open watch fail. */
  fail(reason: string): void {
    const open = [...this.#open];
    this.#open.clear();
    for (const { listener } of open) listener.failed(reason);
  }
}
