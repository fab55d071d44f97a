import { assertEquals } from "@std/assert";
import type { MessagesDirectory } from "@ncolony/host";
import { DirectoryGuard } from "../../monitor/guard.ts";
import { FakeHost } from "./fake_host.ts";

const listener = { touched: () => {}, rescan: () => {}, failed: () => {} };

Deno.test("DirectoryGuard locks the first messages directory again if it comes back after a failed lock", async () => {
  const host = new FakeHost();
  const guard = new DirectoryGuard(host, {
    config: host.config.port,
    messagesDirectory: host.messages.port,
    own: {},
    log: host.log,
    listener,
  });
  await guard.open();
  const comeBack = host.messages.vanish();
  host.messages.replace();
  host.lockError = new Error("no such file or directory");
  await guard.renew();
  host.lockError = null;
  comeBack();
  await guard.renew();
  assertEquals([...host.locks], [host.messages.id]);
});

Deno.test("DirectoryGuard accepts directories that are instances of a class", async () => {
  const host = new FakeHost();
  class ClassyMailbox {
    readonly path = "/messages";
    readonly #port: MessagesDirectory = host.messages.port;
    identity(): ReturnType<MessagesDirectory["identity"]> {
      return this.#port.identity();
    }
    names(): ReturnType<MessagesDirectory["names"]> {
      return this.#port.names();
    }
    isShared(): boolean {
      return this.#port.isShared();
    }
    use(at: string | null): void {
      this.#port.use(at);
    }
  }
  const messagesDirectory = new ClassyMailbox() as unknown as MessagesDirectory;
  const guard = new DirectoryGuard(host, {
    config: host.config.port,
    messagesDirectory,
    own: {},
    log: host.log,
    listener,
  });
  await guard.open();
  assertEquals([...host.locks], [host.messages.id]);
});
