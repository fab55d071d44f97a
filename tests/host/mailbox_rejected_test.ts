import { assertEquals } from "@std/assert";
import { messageDirectory } from "@ncolony/host";
import { tempDir } from "../helpers.ts";

Deno.test("Mailbox.reject() keeps the last 100 that came, whatever time they have, where many come in a second", () => {
  using dir = tempDir();
  const mailbox = messageDirectory(dir.path);
  for (let i = 0; i < 150; i++) {
    Deno.utimeSync(dir.write(`message${i}`, "wrong"), 1000 - i, 1000 - i);
    assertEquals(mailbox.reject(`message${i}`), null);
  }
  const kept = [...Deno.readDirSync(dir.file(".rejected"))].map(({ name }) => name);
  assertEquals(kept.sort(), Array.from({ length: 100 }, (_, i) => `message${i + 50}`).sort());
});

Deno.test("Mailbox.reject() is not kept from its work by a directory in `.rejected`", () => {
  using dir = tempDir();
  const mailbox = messageDirectory(dir.path);
  Deno.mkdirSync(dir.file(".rejected", "notes", "below"), { recursive: true });
  for (let i = 0; i < 120; i++) {
    dir.write(`message${i}`, "wrong");
    assertEquals(mailbox.reject(`message${i}`), null);
  }
});
