/**
 * The emptiest Deno program that could do the work: it starts what a directory of configs says, each in a group of its own
 * with pipes that are read, again when it ends, until SIGTERM. It checks nothing, keeps nothing and writes nothing, so
 * what a supervisor in Deno needs beyond its time and memory is the supervisor's own.
 */

const [directory] = Deno.args;
const groups = new Set<number>();

for (const { name } of Deno.readDirSync(directory)) {
  const { args: [command, ...args] } = JSON.parse(Deno.readTextFileSync(`${directory}/${name}`));
  keep(command, args);
}
setInterval(() => {}, 10_000);
Deno.addSignalListener("SIGTERM", () => {
  for (const group of groups) Deno.kill(-group, "SIGTERM");
  Deno.exit();
});

async function keep(command: string, args: readonly string[]): Promise<never> {
  for (;;) {
    const child = new Deno.Command(command, {
      args: [...args],
      detached: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    groups.add(child.pid);
    drain(child.stdout);
    drain(child.stderr);
    await child.status;
    groups.delete(child.pid);
    child.stdin.close().catch(() => {});
  }
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<void> {
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new Uint8Array(512);
  for (;;) {
    const { value, done } = await reader.read(buffer);
    if (done) return;
    buffer = new Uint8Array(value.buffer);
  }
}
