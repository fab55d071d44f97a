/**
 * The smallest Deno program that could print the output of processes with a name before each line. It starts the
 * processes of a config directory and copies their stdout to its own. It limits nothing, handles no error, and mixes up
 * the lines of two processes.
 */

import { startAll } from "./emptiest_children.ts";

const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;

const [configs] = Deno.args;
startAll(configs, (name, stdout) => copy(stdout, new TextEncoder().encode(`[${name}] `)));

async function copy(stream: ReadableStream<Uint8Array>, prefix: Uint8Array): Promise<void> {
  const reader = stream.getReader({ mode: "byob" });
  const pages = [0, 1].map(() => new Uint8Array(CHUNK_BYTES * (prefix.length + 1)));
  let writing = Promise.resolve(0);
  let buffer = new Uint8Array(CHUNK_BYTES);
  let isNewLine = true;
  for (let turn = 0;; turn++) {
    const { value, done } = await reader.read(buffer);
    if (done) return;
    const page = pages[turn % 2];
    let filled = 0;
    for (let start = 0, end; start < value.length; start = end) {
      if (isNewLine) page.set(prefix, filled);
      if (isNewLine) filled += prefix.length;
      const newline = value.indexOf(NEWLINE, start);
      isNewLine = newline >= 0;
      end = isNewLine ? newline + 1 : value.length;
      page.set(value.subarray(start, end), filled);
      filled += end - start;
    }
    await writing;
    writing = Deno.stdout.write(page.subarray(0, filled));
    buffer = new Uint8Array(value.buffer);
  }
}
