import { assert, assertEquals } from "@std/assert";
import { type Mailbox, messageDirectory } from "@ncolony/host";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { Actor, canRun, IS_ROOT, NOBODY } from "./actors.ts";
import { deny, replace } from "./fakes.ts";

const MAX_BYTES = 65_536;

/** A directory of messages, beside one that no message may get into. */
class Post implements Disposable {
  readonly dir: TempDir = tempDir();
  readonly path: string = this.dir.dir("messages");
  readonly outside: string = this.dir.dir("outside");
  readonly rejected: string = this.file(".rejected");
  readonly mailbox: Mailbox = messageDirectory(this.path);

  file(...names: string[]): string {
    return this.dir.file("messages", ...names);
  }

  write(name: string, text = "wrong"): void {
    Deno.writeTextFileSync(this.file(name), text);
  }

  /** Rejects a message, which must be removed then, and be put nowhere else. */
  assertRemoved(): void {
    this.write("message");
    assertEquals(this.mailbox.reject("message"), null);
    assert(!exists(this.file("message")));
    assertEquals(list(this.outside), []);
    if (isDirectory(this.rejected)) assertEquals(list(this.rejected), []);
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

function list(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isDirectory(path: string): boolean {
  return exists(path) && Deno.lstatSync(path).isDirectory;
}

function changedAt(path: string): number {
  return Deno.lstatSync(path).ctime?.getTime() ?? 0;
}

Deno.test("Mailbox.read() takes a message of the largest size and refuses one byte more", async () => {
  using post = new Post();
  post.write("1", "x".repeat(MAX_BYTES));
  post.write("2", "x".repeat(MAX_BYTES + 1));
  assertEquals((await post.mailbox.read("1"))?.entry, { source: "x".repeat(MAX_BYTES) });
  assertEquals((await post.mailbox.read("2"))?.entry, { fault: "must be at most 65536 bytes" });
});

Deno.test("Mailbox.read() follows no link, wherever it leads", async () => {
  using post = new Post();
  const targets = { file: post.dir.write("secret", "{}"), nothing: "nowhere", circle: "circle", zero: "/dev/zero" };
  for (const [name, target] of Object.entries(targets)) {
    Deno.symlinkSync(target, post.file(name));
    assert(post.mailbox.look(name) !== null);
    assertEquals((await post.mailbox.read(name))?.entry, { fault: "is a symbolic link" });
  }
});

Deno.test("Mailbox.read() does not wait for a FIFO, and reject() puts it away", async () => {
  using post = new Post();
  assert(canRun("mkfifo", post.file("message")));
  assertEquals((await post.mailbox.read("message"))?.entry, { fault: "is not a regular file" });
  assertEquals(post.mailbox.reject("message"), null);
  assertEquals(list(post.rejected), ["message"]);
});

Deno.test("Mailbox.read() needs no thread of Deno's, which may all wait for a disk", async () => {
  using post = new Post();
  post.write("message", "{}");
  using _replaced = replace(Deno, "open", () => Promise.reject(new Error("No thread is free")));
  assertEquals((await post.mailbox.read("message"))?.entry, { source: "{}" });
});

Deno.test("Mailbox.read() asks nobody for the permission to write", async () => {
  using post = new Post();
  post.write("message", "{}");
  const { openSync } = Deno;
  using _denied = deny("write");
  const mailbox = messageDirectory(post.path);
  let opened = 0;
  using _replaced = replace(Deno, "openSync", (...args) => {
    opened++;
    return openSync(...args);
  });
  assertEquals([(await mailbox.read("message"))?.entry, opened], [{ source: "{}" }, 0]);
});

Deno.test({
  name: "Mailbox.read() takes a message that may not be written",
  ignore: !IS_ROOT,
  fn: async () => {
    using post = new Post();
    post.write("message", "{}");
    for (const path of [post.path, post.file("message")]) Deno.chownSync(path, NOBODY, NOBODY);
    Deno.chmodSync(post.dir.path, 0o755);
    Deno.chmodSync(post.file("message"), 0o444);
    await using reader = new Actor(["read", post.path, "message", `${NOBODY}`, "messages"]);
    assertEquals(JSON.parse(await reader.result()).entry, { source: "{}" });
  },
});

Deno.test("Mailbox.names() leaves out what was rejected", () => {
  using post = new Post();
  post.write("1");
  post.write("2");
  post.mailbox.reject("1");
  assertEquals(post.mailbox.names(), ["2"]);
});

Deno.test("Mailbox.remove() removes a message, or a link but not what it leads to", () => {
  using post = new Post();
  post.write("message");
  Deno.symlinkSync(post.dir.write("secret", "{}"), post.file("link"));
  assertEquals(post.mailbox.remove("message"), null);
  assertEquals(post.mailbox.remove("link"), null);
  assertEquals(list(post.path), []);
  assert(exists(post.dir.file("secret")));
});

Deno.test("Mailbox.remove() and reject() have nothing to say of what is gone", () => {
  using post = new Post();
  assertEquals(post.mailbox.remove("message"), null);
  assertEquals(post.mailbox.reject("message"), null);
});

Deno.test("Mailbox.remove() says why it cannot", () => {
  using post = new Post();
  Deno.mkdirSync(post.file("message", "below"), { recursive: true });
  const reason = post.mailbox.remove("message");
  assert(reason !== null && !reason.includes(post.path), `${reason}`);
});

Deno.test("Mailbox.reject() moves a message into a directory that only its owner can read", () => {
  using post = new Post();
  post.write("message", "{");
  assertEquals(post.mailbox.reject("message"), null);
  assertEquals(list(post.path), [".rejected"]);
  assertEquals(Deno.readTextFileSync(post.file(".rejected", "message")), "{");
  assertEquals((Deno.statSync(post.rejected).mode ?? 0) & 0o777, 0o700);
});

Deno.test("Mailbox.reject() replaces a message of the same name, and moves a link but not what it leads to", () => {
  using post = new Post();
  post.write("message", "1");
  post.mailbox.reject("message");
  Deno.symlinkSync(post.dir.write("secret", "{}"), post.file("message"));
  assertEquals(post.mailbox.reject("message"), null);
  assert(Deno.lstatSync(post.file(".rejected", "message")).isSymlink);
  assertEquals(Deno.readTextFileSync(post.dir.file("secret")), "{}");
});

Deno.test("Mailbox.reject() keeps the newest 100", async () => {
  using post = new Post();
  for (let i = 0; i < 103; i++) {
    post.write(`old${i}`);
    assertEquals(post.mailbox.reject(`old${i}`), null);
  }
  assertEquals(list(post.rejected).length, 100);
  // The time of a change is known in whole seconds.
  const last = changedAt(post.rejected);
  await until("the next second begins", () => changedAt(post.dir.write("clock", "")) > last);
  for (const name of ["new1", "new2"]) {
    post.write(name);
    assertEquals(post.mailbox.reject(name), null);
  }
  const kept = list(post.rejected);
  assertEquals(kept.length, 100);
  assertEquals(kept.filter((name) => name.startsWith("new")), ["new1", "new2"]);
});

Deno.test("Mailbox.reject() removes a message where `.rejected` is a link", () => {
  using post = new Post();
  Deno.symlinkSync(post.outside, post.rejected);
  post.assertRemoved();
  Deno.removeSync(post.rejected);
  Deno.symlinkSync(post.dir.file("nowhere"), post.rejected);
  post.assertRemoved();
  assert(!exists(post.dir.file("nowhere")));
});

Deno.test("Mailbox.reject() removes a message where `.rejected` is a file", () => {
  using post = new Post();
  post.write(".rejected", "mine");
  post.assertRemoved();
  assertEquals(Deno.readTextFileSync(post.rejected), "mine");
});

Deno.test("Mailbox.reject() removes a message where anybody may rename what is in the directory", () => {
  using post = new Post();
  for (const mode of [0o777, 0o775, 0o757]) {
    Deno.chmodSync(post.path, mode);
    post.assertRemoved();
    assert(!exists(post.rejected));
  }
});

Deno.test("Mailbox.reject() moves a message in a shared directory that is sticky", () => {
  using post = new Post();
  Deno.chmodSync(post.path, 0o1777);
  post.write("message");
  assertEquals(post.mailbox.reject("message"), null);
  assertEquals(list(post.rejected), ["message"]);
});

Deno.test({
  name: "Mailbox.reject() removes a message where `.rejected` is another user's (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: () => {
    using post = new Post();
    Deno.mkdirSync(post.rejected);
    Deno.chownSync(post.rejected, NOBODY, NOBODY);
    post.assertRemoved();
  },
});

Deno.test({
  name: "Mailbox.reject() removes a message where the directory is another user's (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: () => {
    using post = new Post();
    Deno.chownSync(post.path, NOBODY, NOBODY);
    post.assertRemoved();
    assert(!exists(post.rejected));
  },
});

Deno.test({
  name: "Mailbox says why it can remove nothing from what is mounted read-only (skipped where nothing can be mounted)",
  ignore: !(IS_ROOT && canRun("unshare", "--mount", "true")),
  fn: async () => {
    using post = new Post();
    const script = 'mount -t tmpfs none "$0" && printf {} > "$0/message" && mount -o remount,ro "$0" && exec "$@"';
    await using actor = new Actor(["mail", post.path, "message"], [
      ...["unshare", "--mount", "sh", "-c", script, post.path],
    ]);
    assertEquals(JSON.parse(await actor.result()), {
      names: ["message"],
      entry: { source: "{}" },
      reject: "EROFS",
      remove: "EROFS",
    });
  },
});
