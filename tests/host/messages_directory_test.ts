import { lstat } from "../../host/files/lstat.ts";
import { assert, assertEquals } from "@std/assert";
import { messageDirectory, type MessagesDirectory } from "@ncolony/host";
import { type TempDir, tempDir } from "../helpers.ts";
import { Actor, canRun, IS_ROOT, NOBODY } from "./actors.ts";

const MAX_BYTES = 65_536;

/** A messages directory, next to a directory that no message may get into. */
class Post implements Disposable {
  readonly dir: TempDir = tempDir();
  readonly path: string = this.dir.dir("messages");
  readonly outside: string = this.dir.dir("outside");
  readonly rejected: string = this.file(".rejected");
  readonly messagesDirectory: MessagesDirectory = messageDirectory(this.path);

  file(...names: string[]): string {
    return this.dir.file("messages", ...names);
  }

  write(name: string, text = "wrong"): void {
    Deno.writeTextFileSync(this.file(name), text);
  }

  /** Rejects a message, and checks that it stays, and is put nowhere else. */
  assertStays(): void {
    this.write("message", "not for you");
    assertEquals(this.messagesDirectory.reject("message"), "other users can replace .rejected");
    assertEquals(Deno.readTextFileSync(this.file("message")), "not for you");
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

function isDirectory(path: string): boolean {
  return lstat(path)?.isDirectory ?? false;
}

Deno.test("MessagesDirectory.read() takes a message of the largest size, and refuses one with one byte more", () => {
  using post = new Post();
  post.write("1", "x".repeat(MAX_BYTES));
  post.write("2", "x".repeat(MAX_BYTES + 1));
  assertEquals(post.messagesDirectory.read("1")?.entry, { source: "x".repeat(MAX_BYTES) });
  assertEquals(post.messagesDirectory.read("2")?.entry, { fault: "must be at most 65536 bytes" });
});

Deno.test("MessagesDirectory.read() follows no symlink, wherever it leads", () => {
  using post = new Post();
  const targets = { file: post.dir.write("secret", "{}"), nothing: "nowhere", circle: "circle", zero: "/dev/zero" };
  for (const [name, target] of Object.entries(targets)) {
    Deno.symlinkSync(target, post.file(name));
    assert(post.messagesDirectory.stamp(name) !== null);
    assertEquals(post.messagesDirectory.read(name)?.entry, { fault: "is a symbolic link" });
  }
});

Deno.test("MessagesDirectory.read() does not wait for a FIFO, and reject() moves it", () => {
  using post = new Post();
  assert(canRun("mkfifo", post.file("message")));
  assertEquals(post.messagesDirectory.read("message")?.entry, { fault: "not a regular file" });
  assertEquals(post.messagesDirectory.reject("message"), null);
  assertEquals(list(post.rejected), ["message"]);
});

Deno.test({
  name: "MessagesDirectory.read() takes a read-only message",
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

Deno.test("MessagesDirectory.names() omits rejected messages", () => {
  using post = new Post();
  post.write("1");
  post.write("2");
  post.messagesDirectory.reject("1");
  assertEquals(post.messagesDirectory.names(), ["2"]);
});

Deno.test("MessagesDirectory.remove() removes a message, or a symlink but not its target", () => {
  using post = new Post();
  post.write("message");
  Deno.symlinkSync(post.dir.write("secret", "{}"), post.file("link"));
  assertEquals(post.messagesDirectory.remove("message"), null);
  assertEquals(post.messagesDirectory.remove("link"), null);
  assertEquals(list(post.path), []);
  assert(lstat(post.dir.file("secret")) !== null);
});

Deno.test("MessagesDirectory.remove() and reject() report nothing if the message is gone", () => {
  using post = new Post();
  assertEquals(post.messagesDirectory.remove("message"), null);
  assertEquals(post.messagesDirectory.reject("message"), null);
});

Deno.test("MessagesDirectory.remove() reports why it fails", () => {
  using post = new Post();
  Deno.mkdirSync(post.file("message", "below"), { recursive: true });
  const reason = post.messagesDirectory.remove("message");
  assert(reason !== null && !reason.includes(post.path), `${reason}`);
});

Deno.test("MessagesDirectory.reject() moves a message into a directory that only its owner can read", () => {
  using post = new Post();
  post.write("message", "{");
  assertEquals(post.messagesDirectory.reject("message"), null);
  assertEquals(list(post.path), [".rejected"]);
  assertEquals(Deno.readTextFileSync(post.file(".rejected", "message")), "{");
  assertEquals((Deno.statSync(post.rejected).mode ?? 0) & 0o777, 0o700);
});

Deno.test("MessagesDirectory.reject() moves a symlink, but not its target", () => {
  using post = new Post();
  Deno.symlinkSync(post.dir.write("secret", "{}"), post.file("message"));
  assertEquals(post.messagesDirectory.reject("message"), null);
  assert(Deno.lstatSync(post.file(".rejected", "message")).isSymlink);
  assertEquals(Deno.readTextFileSync(post.dir.file("secret")), "{}");
});

Deno.test("MessagesDirectory.reject() leaves a message in place while it keeps one with the same name", () => {
  using post = new Post();
  for (const text of ["1", "2"]) {
    post.write("message", text);
    assertEquals(
      post.messagesDirectory.reject("message"),
      text === "1" ? null : ".rejected already has a message of this name",
    );
  }
  assertEquals([post.file("message"), post.file(".rejected", "message")].map((it) => Deno.readTextFileSync(it)), [
    "2",
    "1",
  ]);
  Deno.removeSync(post.file(".rejected", "message"));
  assertEquals(post.messagesDirectory.reject("message"), null);
});

Deno.test("MessagesDirectory.reject() keeps 100 messages, and leaves others in place until some are gone", () => {
  using post = new Post();
  const names = Array.from({ length: 150 }, (_, i) => `message${i}`);
  for (const name of names) post.write(name);
  const full = ".rejected already has 100 messages";
  assertEquals(names.map((name) => post.messagesDirectory.reject(name)), names.map((_, i) => i < 100 ? null : full));
  assertEquals([list(post.rejected), list(post.path)], [
    names.slice(0, 100).sort(),
    [".rejected", ...names.slice(100).sort()],
  ]);
  Deno.removeSync(post.file(".rejected", "message7"));
  assertEquals([post.messagesDirectory.reject("message120"), post.messagesDirectory.reject("message121")], [
    null,
    full,
  ]);
});

Deno.test("MessagesDirectory.reject() counts other entries in `.rejected`", () => {
  using post = new Post();
  Deno.mkdirSync(post.file(".rejected", "notes", "below"), { recursive: true });
  const results = Array.from({ length: 100 }, (_, i) => {
    post.write(`message${i}`);
    return post.messagesDirectory.reject(`message${i}`);
  });
  assertEquals(results.filter((result) => result === null).length, 99);
});

Deno.test("MessagesDirectory.reject() leaves a message in place if `.rejected` is a symlink", () => {
  using post = new Post();
  Deno.symlinkSync(post.outside, post.rejected);
  post.assertStays();
  Deno.removeSync(post.rejected);
  Deno.symlinkSync(post.dir.file("nowhere"), post.rejected);
  post.assertStays();
  assert(lstat(post.dir.file("nowhere")) === null);
});

Deno.test("MessagesDirectory.reject() leaves a message in place if `.rejected` is a file", () => {
  using post = new Post();
  post.write(".rejected", "mine");
  post.assertStays();
  assertEquals(Deno.readTextFileSync(post.rejected), "mine");
});

Deno.test("MessagesDirectory.reject() leaves a message in place if other users may rename files in the directory", () => {
  using post = new Post();
  for (const mode of [0o777, 0o775, 0o757]) {
    Deno.chmodSync(post.path, mode);
    post.assertStays();
    assert(lstat(post.rejected) === null);
  }
});

Deno.test("MessagesDirectory.reject() moves a message in a shared directory that is sticky", () => {
  using post = new Post();
  Deno.chmodSync(post.path, 0o1777);
  post.write("message");
  assertEquals(post.messagesDirectory.reject("message"), null);
  assertEquals(list(post.rejected), ["message"]);
});

Deno.test({
  name: "MessagesDirectory.reject() leaves a message in place if another user owns `.rejected` (skipped unless root)",
  ignore: !IS_ROOT,
  fn: () => {
    using post = new Post();
    Deno.mkdirSync(post.rejected);
    Deno.chownSync(post.rejected, NOBODY, NOBODY);
    post.assertStays();
  },
});

Deno.test({
  name: "MessagesDirectory.reject() leaves a message in place if another user owns its directory (skipped unless root)",
  ignore: !IS_ROOT,
  fn: () => {
    using post = new Post();
    Deno.chownSync(post.path, NOBODY, NOBODY);
    post.assertStays();
    assert(lstat(post.rejected) === null);
  },
});

Deno.test({
  name: "MessagesDirectory.reject() and remove() report a read-only mount (skipped without mounts)",
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
      reject: "read-only file system",
      remove: "read-only file system",
    });
  },
});
