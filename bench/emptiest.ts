/**
 * The smallest Deno program that could do the work of a monitor. It starts a process for each config in a directory, by
 * setsid(1) in its own process group, reads its pipes, and starts it again when it exits. It also starts a process when
 * the watch reports a new config. A message ends the process that it names. Because a watch may miss events, it scans
 * all files every 10 s. It validates nothing, keeps nothing and writes nothing. So time and memory that a supervisor in
 * Deno needs beyond this program are the supervisor's own.
 *
 * With a cgroup as its third argument, it starts each process in a cgroup of its own below that one, and signals all
 * processes in it. When the process exits, it kills what is left there, or else removes the cgroup.
 */

const [configs, messages, cgroups] = Deno.args;
const groups = new Map<string, number>();
/** The cgroup of each process. */
const cgroupOf = new Map<string, string>();
/** The cgroup in which the next process starts: this program is there, or is moving there. */
let room = "";
let rooms = 0;
let moving: Promise<void> | null = null;
let isStopping = false;

if (cgroups !== undefined) moveOn();
for (const { name } of Deno.readDirSync(configs)) keep(name);
Deno.addSignalListener("SIGTERM", () => {
  isStopping = true;
  for (const name of groups.keys()) stop(name);
  if (cgroups === undefined) Deno.exit();
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
  else stop(JSON.parse(Deno.readTextFileSync(path)).name);
}

async function keep(name: string): Promise<void> {
  const { args, ...more } = JSON.parse(Deno.readTextFileSync(`${configs}/${name}`));
  if (more["ncolony.monitor"]?.enabled === false) return;
  for (;;) {
    while (moving !== null) await moving;
    const options = { args, stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    const child = new Deno.Command("/usr/bin/setsid", options).spawn();
    groups.set(name, child.pid);
    if (cgroups !== undefined) {
      cgroupOf.set(name, room);
      moveOn();
    }
    drain(child.stdout);
    drain(child.stderr);
    await child.status;
    child.stdin.close().catch(() => {});
    if (cgroups !== undefined) await clear(cgroupOf.get(name)!);
    if (!isStopping) continue;
    groups.delete(name);
    if (groups.size === 0) Deno.exit();
    return;
  }
}

function stop(name: string): void {
  const cgroup = cgroupOf.get(name);
  if (cgroup === undefined) return Deno.kill(-groups.get(name)!, "SIGTERM");
  for (const pid of Deno.readTextFileSync(`${cgroup}/cgroup.procs`).split("\n").map(Number)) {
    if (pid !== 0 && pid !== Deno.pid) Deno.kill(pid, "SIGTERM");
  }
}

/** Moves this program to a new cgroup, in another thread. */
function moveOn(): void {
  room = `${cgroups}/${++rooms}`;
  Deno.mkdirSync(room);
  moving = Deno.writeTextFile(`${room}/cgroup.procs`, `${Deno.pid}`).then(() => void (moving = null));
}

async function clear(cgroup: string): Promise<void> {
  while (moving !== null) await moving;
  if (Deno.readTextFileSync(`${cgroup}/cgroup.events`).includes("populated 1")) {
    Deno.writeTextFileSync(`${cgroup}/cgroup.kill`, "1");
  } else Deno.removeSync(cgroup);
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
