import { run, sh } from "../../../tests/cli/tools.ts";

/** Runs a command, and returns what it wrote to stdout. @throws {Error} If it fails. */
export async function output(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(words);
  if (code !== 0) throw new Error(`${words.join(" ")} failed with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
}

/** Runs a shell script in the same way. */
export function script(text: string): Promise<string> {
  return output(...sh(text));
}

/** Returns a property of a systemd unit. */
export function property(unit: string, name: string): Promise<string> {
  return output("systemctl", "show", "--value", `--property=${name}`, unit);
}

/** Returns the directory of the cgroup that a process is in. */
export function cgroupOf(pid: number): string {
  const [, path] = /^0::(.*)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/cgroup`))!;
  return `/sys/fs/cgroup${path}`;
}

/** Returns the pids in a cgroup and below it. None if it does not exist. */
export function pidsIn(cgroup: string): number[] {
  try {
    const own = Deno.readTextFileSync(`${cgroup}/cgroup.procs`).split("\n").filter(Boolean).map(Number);
    const below = [...Deno.readDirSync(cgroup)].filter(({ isDirectory }) => isDirectory);
    return [...own, ...below.flatMap(({ name }) => pidsIn(`${cgroup}/${name}`))];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Returns the text of a file of a cgroup. */
export function read(cgroup: string, file: string): string {
  return Deno.readTextFileSync(`${cgroup}/${file}`).trim();
}

/** Returns a number of a file of a cgroup that has a key and a number in each line. */
export function valueIn(cgroup: string, file: string, key: string): number {
  return Number(new RegExp(`^${key} (\\d+)$`, "m").exec(read(cgroup, file))?.[1]);
}
