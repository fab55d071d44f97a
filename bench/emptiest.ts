/**
 * The emptiest Deno program that could do the work: it starts what a directory of configs says, each by setsid(1) in a
 * group of its own with pipes that are read, again when it ends, and also when the watch tells of a new config; a message
 * ends the process that it names. As a watch may miss what happens, it looks at all files every 10 s. It checks nothing,
 * keeps nothing and writes nothing, so what a supervisor in Deno needs beyond its time and memory is the supervisor's own.
 */

const [configs, messages] = Deno.args;
const groups = new Map<string, number>();

for (const { name } of Deno.readDirSync(configs)) keep(name);
Deno.addSignalListener("SIGTERM", () => {
  for (const group of groups.values()) Deno.kill(-group, "SIGTERM");
  Deno.exit();
});
setInterval(() => {
  for (const directory of [configs, messages]) {
    for (const { name } of Deno.readDirSync(directory)) Deno.lstatSync(`${directory}/${name}`);
  }
}, 10_000);
for await (const { kind, paths: [, path] } of Deno.watchFs([configs, messages], { recursive: false })) {
  // A rename is told in halves, and then as a whole.
  if (kind !== "rename" || path === undefined) continue;
  if (path.startsWith(configs)) keep(path.slice(configs.length + 1));
  else Deno.kill(-groups.get(JSON.parse(Deno.readTextFileSync(path)).name)!, "SIGTERM");
}

async function keep(name: string): Promise<void> {
  const { args, ...more } = JSON.parse(Deno.readTextFileSync(`${configs}/${name}`));
  if (more["ncolony.monitor"]?.enabled === false) return;
  for (;;) {
    const options = { args, stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    const child = new Deno.Command("/usr/bin/setsid", options).spawn();
    groups.set(name, child.pid);
    drain(child.stdout);
    drain(child.stderr);
    await child.status;
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
