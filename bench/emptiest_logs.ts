/**
 * The emptiest Deno program that could write what processes write to a file each: it starts what a directory of configs
 * says, and copies its stdout to a file, reading while it writes. It rotates nothing, and survives nothing.
 */

const CHUNK_BYTES = 65_536;

const [configs, logs] = Deno.args;
for (const { name } of Deno.readDirSync(configs)) {
  const { args: [command, ...args] } = JSON.parse(Deno.readTextFileSync(`${configs}/${name}`));
  const child = new Deno.Command(command, { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
  Deno.addSignalListener("SIGTERM", () => {
    child.kill();
    Deno.exit();
  });
  copy(child.stdout, Deno.openSync(`${logs}/${name}.log`, { append: true, create: true }));
}

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
