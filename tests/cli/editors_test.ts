import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { Colony } from "./harness.ts";
import { quickly } from "./quickly.ts";
import { everStarted, untilAllRunAsWritten } from "./running.ts";
import { hasCommand, namesIn, run } from "./tools.ts";

/** The parts of an edit. */
interface Edit {
  /** The path of the config. */
  readonly path: string;
  /** A file elsewhere that holds the new text. */
  readonly aside: string;
  /** The new version, which is also part of the text. */
  readonly version: number;
}

/** How a command edits a config. */
type Editor = readonly [what: string, command: (edit: Edit) => string[]];

/** Returns an editor that runs vim. Clears backupskip first, because vim makes no backups in /tmp by default. */
function vim(...settings: string[]): Editor {
  const words = ["set backupskip=", ...settings.map((setting) => `set ${setting}`)].flatMap((it) => ["-c", it]);
  const edit = (version: number) => ["-c", `%s/"version":\\d*/"version":${version}/`, "-c", "wq"];
  const command = ({ path, version }: Edit) => ["vim", "-u", "NONE", "-N", "-es", ...words, ...edit(version), path];
  return [["vim", ...settings].join(" with "), command];
}

const EDITORS: readonly Editor[] = [
  vim(),
  vim("backupcopy=no"),
  vim("backupcopy=yes"),
  vim("nowritebackup"),
  ["sed -i", ({ path, version }) => ["sed", "-i", `s/"version":[0-9]*/"version":${version}/`, path]],
  ["perl -i", ({ path, version }) => ["perl", "-i", "-pe", `s/"version":[0-9]*/"version":${version}/`, path]],
  ["cp", ({ path, aside }) => ["cp", aside, path]],
  ["cp --remove-destination", ({ path, aside }) => ["cp", "--remove-destination", aside, path]],
  ["install", ({ path, aside }) => ["install", "-m", "644", aside, path]],
  ["rsync", ({ path, aside }) => ["rsync", "--checksum", aside, path]],
  ["rsync -a", ({ path, aside }) => ["rsync", "-a", "--checksum", aside, path]],
  ["rsync --inplace", ({ path, aside }) => ["rsync", "--inplace", "--checksum", aside, path]],
];

/** A colony whose process can be edited again and again. */
class Edited implements AsyncDisposable {
  readonly colony: Colony = new Colony({ config: { web: { args: ["cat"], version: 0 }, db: { args: ["cat"] } } });
  version = 0;
  /** How often the process was started before the last edit. */
  startsBefore = 0;

  /** Edits the config so fast that no state between the old text and the new one may settle. */
  async edit([, command]: Editor): Promise<void> {
    const aside = this.colony.dir.file("aside");
    const path = join(this.colony.config, "web");
    await quickly(
      async () => assertEquals((await run(command({ path, aside, version: this.version }))).code, 0),
      async () => {
        await untilAllRunAsWritten(this.colony);
        this.startsBefore = this.colony.pidsOf("web").length;
        this.version++;
        Deno.writeTextFileSync(aside, JSON.stringify({ args: ["cat"], version: this.version }));
      },
    );
    await untilAllRunAsWritten(this.colony);
    assertEquals(JSON.parse(Deno.readTextFileSync(path)), { args: ["cat"], version: this.version });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.colony[Symbol.asyncDispose]();
  }
}

function editorTest(name: string, editor: Editor, check: (edited: Edited) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasCommand(editor[0].split(" ")[0]),
    fn: async () => {
      await using edited = new Edited();
      await check(edited);
    },
  });
}

for (const editor of EDITORS) {
  editorTest(`each edit by ${editor[0]} restarts the process once, and starts nothing else`, editor, async (edited) => {
    const { colony } = edited;
    for (let edit = 1; edit <= 2; edit++) {
      await edited.edit(editor);
      assertEquals(colony.pidsOf("web").length, edited.startsBefore + 1);
    }
    assertEquals(colony.pidsOf("db").length, 1);
    // Edits that were too slow may have exposed what they left for a moment.
    if (edited.version === 2) assertEquals(everStarted(colony), ["db", "web"]);
    if (edited.version === 2) assertEquals(colony.matching(/WARN|ERROR/), []);
    assertEquals(namesIn(colony.pids).filter((name) => !name.startsWith("fence-")), ["db", "web"]);
  });
}

const BACKUP = vim("backup");

editorTest("the monitor does not run a backup that vim keeps, and logs it once", BACKUP, async (edited) => {
  await edited.edit(BACKUP);
  await edited.colony.waitFor(/ WARN web~: invalid config: a name must not look like a backup or temporary file /);
  assertEquals(everStarted(edited.colony), ["db", "web"]);
  if (edited.version === 2) assertEquals(edited.colony.count(/ web~: /), 1);
});

const HIDDEN = vim("backup", "backupext=.new");

editorTest("the monitor starts nothing for a backup under an ignored name", HIDDEN, async (edited) => {
  await edited.edit(HIDDEN);
  assertEquals(namesIn(edited.colony.config).includes("web.new"), true);
  assertEquals(edited.colony.pidsOf("web").length, edited.startsBefore + 1);
  if (edited.version === 1) assertEquals(edited.colony.count(/WARN|ERROR/), 0);
  assertEquals(namesIn(edited.colony.pids).filter((name) => !name.startsWith("fence-")), ["db", "web"]);
});

editorTest("the monitor starts nothing for an open editor and its swap file", vim(), async ({ colony }) => {
  const path = join(colony.config, "web");
  const words = ["-u", "NONE", "-N", "-es", "-c", "preserve", "-c", "sleep 10m", path];
  const editor = new Deno.Command("vim", { args: words, stdin: "piped", stdout: "null", stderr: "null" }).spawn();
  try {
    await colony.until("the swap file is there", () => namesIn(colony.config).includes(".web.swp"));
    await colony.fence();
    assertEquals(everStarted(colony), ["db", "web"]);
    assertEquals(colony.pidsOf("web").length, 1);
    assertEquals(colony.matching(/WARN|ERROR/), []);
  } finally {
    editor.kill("SIGKILL");
    await Promise.all([editor.status, editor.stdin.close()]);
  }
});
