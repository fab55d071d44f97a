/**
 * The smallest Deno program that could write a log file for each process. It starts the processes of a config directory
 * and copies their stdout to files, reading while it writes. It rotates nothing, and handles no error.
 */

import { startAll } from "./emptiest_children.ts";

const CHUNK_BYTES = 65_536;

const [configs, logs] = Deno.args;
startAll(configs, (name, stdout) => copy(stdout, Deno.openSync(`${logs}/${name}.log`, { append: true, create: true })));

async function copy(stream: ReadableStream<Uint8Array>, file: Deno.FsFile): Promise<void> {
  const reader = stream.getReader({ mode: "byob" });
  let writing = Promise.resolve(0);
  let [buffer, written] = [0, 1].map(() => new Uint8Array(CHUNK_BYTES));
  for (;;) {
    const { value, done } = await reader.read(buffer);
    if (done) return;
    await writing;
    writing = file.write(value);
    [buffer, written] = [written, new Uint8Array(value.buffer)];
  }
}
