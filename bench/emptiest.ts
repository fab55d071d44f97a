/**
 * The smallest Deno program that could do the work of a monitor. It starts a process for each config in a directory, by
 * setsid(1) in its own process group, reads its pipes, and starts it again when it exits. It also starts a process when
 * the watch reports a new config. A message ends the process that it names. Because a watch may miss events, it scans
 * all files every 10 s. It validates nothing, keeps nothing and writes nothing. So time and memory that a supervisor in
 * Deno needs beyond this program are the supervisor's own.
 *
 * If it is given a cgroup, each process is born in one of its own below that. A signal reaches all processes in it, what
 * is left there at the exit is killed, and it is removed.
 */

const [configs, messages, cgroups] = Deno.args;
const groups = new Map<string, number>();
/** The cgroup of each process. */
const cgroupOf = new Map<string, string>();
/** The cgroup that the next process is born in, because this program is there or moves there. */
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
    if (isStopping && groups.delete(name) && groups.size === 0) Deno.exit();
    if (isStopping) return;
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
