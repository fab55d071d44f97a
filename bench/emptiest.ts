/**
 * The smallest Deno program that could do the work of a monitor. It starts a process for each config in a directory, by
 * setsid(1) in its own process group, reads its pipes, and starts it again when it exits. It also starts a process when
 * the watch reports a new config. A message ends the process that it names. Because a watch may miss events, it scans
 * all files every 10 s. It validates nothing, keeps nothing and writes nothing. So time and memory that a supervisor in
 * Deno needs beyond this program are the supervisor's own.
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
  // A rename is reported in two halves, then as a whole.
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
