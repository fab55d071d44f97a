import { assertEquals } from "@std/assert";
import type { Mailbox } from "@ncolony/host";
import { Hold } from "../../monitor/hold.ts";
import { FakeHost } from "./fake_host.ts";

const sink = { touched: () => {}, rescan: () => {}, failed: () => {} };

Deno.test("Hold locks the first messages directory again when that comes back after a lock that failed", async () => {
  const host = new FakeHost();
  const hold = new Hold(host, { config: host.config.port, mailbox: host.messages.port, own: {}, log: host.log, sink });
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

Deno.test("Hold asks directories that are objects of a class", async () => {
  const host = new FakeHost();
  class ClassyMailbox {
    readonly path = "/messages";
    readonly #port: Mailbox = host.messages.port;
    identity(): ReturnType<Mailbox["identity"]> {
      return this.#port.identity();
    }
    names(): ReturnType<Mailbox["names"]> {
      return this.#port.names();
    }
    isShared(): boolean {
      return this.#port.isShared();
    }
    use(at: string | null): void {
      this.#port.use(at);
    }
  }
  const mailbox = new ClassyMailbox() as unknown as Mailbox;
  const hold = new Hold(host, { config: host.config.port, mailbox, own: {}, log: host.log, sink });
  await hold.open();
  assertEquals([...host.locks], [host.messages.id]);
});
