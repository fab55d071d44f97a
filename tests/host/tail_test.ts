import { assertEquals } from "@std/assert";
import { Tail } from "@ncolony/host";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("Tail keeps the last lines, with and without a newline at the end", () => {
  const tail = new Tail();
  for (const piece of ["on", "e\ntwo\r\n", "", "three\nfo", "ur"]) tail.push(bytes(piece));
  assertEquals(tail.lines(9), ["one", "two", "three", "four"]);
  tail.push(bytes("\n\n"));
  assertEquals(tail.lines(3), ["three", "four", ""]);
  assertEquals(new Tail().lines(3), []);
});

Deno.test("Tail keeps 2 KiB, however much comes and in whatever pieces", () => {
  for (const size of [1, 1000, 2047, 2048, 2049, 100_000]) {
    const tail = new Tail();
    for (let total = 0; total < 10_000; total += size) tail.push(bytes("x".repeat(size)));
    tail.push(bytes("\nend\n"));
    assertEquals(tail.lines(9), ["x".repeat(2043), "end"]);
  }
});

Deno.test("Tail copies what it keeps, and shows bytes that are no text", () => {
  const tail = new Tail();
  const given = Uint8Array.of(0xff, 0x41);
  tail.push(given);
  given.fill(0x42);
  assertEquals(tail.lines(1), ["\ufffdA"]);
});

Deno.test("Tail.of() keeps lines", () => assertEquals(Tail.of(["a", "", "b"]).lines(9), ["a", "", "b"]));
