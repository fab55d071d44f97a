import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { Colony } from "./harness.ts";
import { everStarted, untilAllRunAsWritten } from "./running.ts";
import { namesIn } from "./tools.ts";

/** The steps of an update, in the order in which Kubernetes' AtomicWriter takes them. */
type Step = "swap" | "add links" | "remove links" | "remove old";
const STEPS: readonly Step[] = ["swap", "add links", "remove links", "remove old"];

/** A config directory that is written as Kubernetes writes a volume. */
class ConfigMap {
  readonly #path: string;
  #version = 0;

  constructor({ config }: Colony) {
    this.#path = config;
  }

  /** Updates the keys. `between` runs after each step, so that the monitor can scan there. */
  async update(
    keys: Readonly<Record<string, unknown>>,
    steps = STEPS,
    between: (step: Step) => void | Promise<void> = () => {},
  ): Promise<void> {
    const old = `..${this.#version++}`;
    const fresh = `..${this.#version}`;
    Deno.mkdirSync(this.#file(fresh));
    for (const [key, config] of Object.entries(keys)) {
      Deno.writeTextFileSync(this.#file(fresh, key), JSON.stringify(config));
    }
    const links = new Set(namesIn(this.#path).filter((name) => !name.startsWith("..")));
    const isKey = (name: string) => Object.hasOwn(keys, name) || name.startsWith("fence-");
    const acts: Record<Step, () => void> = {
      "swap": () => {
        Deno.symlinkSync(fresh, this.#file("..data_tmp"));
        Deno.renameSync(this.#file("..data_tmp"), this.#file("..data"));
      },
      "add links": () => {
        for (const key of Object.keys(keys)) if (!links.has(key)) Deno.symlinkSync(`..data/${key}`, this.#file(key));
      },
      "remove links": () => {
        for (const link of links) if (!isKey(link)) Deno.removeSync(this.#file(link));
      },
      "remove old": () => {
        if (this.#version > 1) Deno.removeSync(this.#file(old), { recursive: true });
      },
    };
    for (const step of steps) {
      acts[step]();
      await between(step);
    }
  }

  #file(...names: string[]): string {
    return join(this.#path, ...names);
  }
}

/** Returns a config whose text holds its version. */
function cat(version: number): Record<string, unknown> {
  return { args: ["cat"], version };
}

/** Starts a colony that scans once in a lifetime: only the watch sees later changes. */
function watching(): Colony {
  return new Colony({ args: ["--frequency", "1e9"] });
}

function starts(colony: Colony, ...names: string[]): number[] {
  return names.map((name) => colony.pidsOf(name).length);
}

Deno.test("each update of a ConfigMap restarts what it changed, once, and nothing else", async () => {
  await using colony = watching();
  const map = new ConfigMap(colony);
  await map.update({ web: cat(0), db: cat(0) });
  await colony.started("web");
  await colony.started("db");
  for (let version = 1; version <= 10; version++) {
    await map.update({ web: cat(version), db: cat(0) });
    await colony.started("web", version + 1);
  }
  await untilAllRunAsWritten(colony);
  assertEquals(starts(colony, "web", "db"), [11, 1]);
  assertEquals(colony.matching(/WARN|ERROR/), []);
});

Deno.test("an update of a ConfigMap starts the keys it adds, and stops those it removes", async () => {
  await using colony = watching();
  const map = new ConfigMap(colony);
  await map.update({ web: cat(0), db: cat(0) });
  await colony.started("db");
  for (let version = 1; version <= 3; version++) {
    await map.update({ web: cat(0), db: cat(0), [`job-${version}`]: cat(0) });
    await colony.started(`job-${version}`);
    if (version > 1) await colony.waitFor(new RegExp(`job-${version - 1}: stopping -> gone`));
  }
  await map.update({ web: cat(0) });
  for (const name of ["job-3", "db"]) await colony.waitFor(new RegExp(`${name}: stopping -> gone`));
  await untilAllRunAsWritten(colony);
  assertEquals(starts(colony, "web", "db", "job-1", "job-2", "job-3"), [1, 1, 1, 1, 1]);
});

Deno.test("an update of a ConfigMap that changes nothing restarts nothing", async () => {
  await using colony = watching();
  const map = new ConfigMap(colony);
  await map.update({ web: cat(0), db: cat(0) });
  await colony.started("db");
  for (let round = 0; round < 3; round++) {
    await map.update({ web: cat(0), db: cat(0) });
    await colony.fence();
  }
  await untilAllRunAsWritten(colony);
  assertEquals(starts(colony, "web", "db"), [1, 1]);
});

Deno.test("dangling links during a ConfigMap update neither stop nor start a process, whatever its order", async () => {
  await using colony = watching();
  const map = new ConfigMap(colony);
  await map.update({ web: cat(0), db: cat(0), old: cat(0) });
  await colony.started("old");
  await map.update(
    { web: cat(0), db: cat(1), fresh: cat(0) },
    ["remove old", "add links", "swap", "remove links"],
    async (step) => {
      const isBroken = step === "remove old" || step === "add links";
      if (step === "remove old") {
        for (const name of ["web", "db", "old"]) {
          await colony.waitFor(
            new RegExp(`WARN ${name}: invalid config: dangling symbolic link; the last valid config stays in effect`),
          );
        }
      } else if (step === "add links") await colony.waitFor(/WARN fresh: invalid config: dangling symbolic link$/);
      await colony.fence();
      if (isBroken) assertEquals(starts(colony, "web", "db", "old", "fresh"), [1, 1, 1, 0]);
      if (isBroken) assertEquals(colony.matching(/-> (?:stopping|gone)/), []);
    },
  );
  await colony.started("fresh");
  await colony.waitFor(/old: stopping -> gone/);
  await untilAllRunAsWritten(colony);
  assertEquals(starts(colony, "web", "db", "old", "fresh"), [1, 2, 1, 1]);
});

Deno.test("after a burst of ConfigMap updates, only the processes of the last one run", async () => {
  await using colony = watching();
  const map = new ConfigMap(colony);
  await map.update({ web: cat(0), db: cat(0) });
  await colony.started("db");
  for (let burst = 0; burst < 3; burst++) {
    for (let version = 1; version <= 50; version++) {
      const odd = version % 2 === 1 ? { odd: cat(version) } : { even: cat(version) };
      // Each order of the steps has its turn.
      const at = version % STEPS.length;
      await map.update({ web: cat(50 * burst + version), db: cat(0), ...odd }, [
        ...STEPS.slice(at),
        ...STEPS.slice(0, at),
      ]);
    }
    await untilAllRunAsWritten(colony);
  }
  assertEquals(starts(colony, "db"), [1]);
  assertEquals(everStarted(colony).filter((name) => !/^(?:web|db|odd|even)$/.test(name)), []);
});
