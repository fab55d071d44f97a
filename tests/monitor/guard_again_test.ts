import { assertEquals } from "@std/assert";
import type { MessagesDirectory } from "@ncolony/host";
import { DirectoryGuard } from "../../monitor/guard.ts";
import { FakeHost } from "./fake_host.ts";

const listener = { touched: () => {}, rescan: () => {}, failed: () => {} };

Deno.test("DirectoryGuard locks the first messages directory again when that comes back after a lock that failed", async () => {
  const host = new FakeHost();
  const hold = new DirectoryGuard(host, {
    config: host.config.port,
    messagesDirectory: host.messages.port,
    own: {},
    log: host.log,
    listener,
  });
  await hold.open();
  const comeBack = host.messages.vanish();
  host.messages.replace();
  host.lockError = new Error("it is not there");
  await hold.renew();
  host.lockError = null;
  comeBack();
  await hold.renew();
  assertEquals([...host.locks], [host.messages.id]);
});

Deno.test("DirectoryGuard asks directories that are objects of a class", async () => {
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
  const hold = new DirectoryGuard(host, {
    config: host.config.port,
    messagesDirectory,
    own: {},
    log: host.log,
    listener,
  });
  await hold.open();
  assertEquals([...host.locks], [host.messages.id]);
});
