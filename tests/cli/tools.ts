import { MIN_START_GAP_MS } from "@ncolony/core";
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import type { Tool } from "../../tools/permissions.ts";
import { isAlive, type TempDir, until } from "../helpers.ts";

/** The monitor's permissions, as its task has them. */
export const MONITOR_PERMISSIONS: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-run",
  "--allow-env",
  "--allow-sys=uid,gid",
];

/** Whether the tests may become other users. */
export const IS_ROOT: boolean = Deno.uid() === 0;

/** How long a program may take to exit, in milliseconds. */
export const TIMEOUT_MS = 60_000;

/** The path of the repository. */
export const ROOT: string = fromFileUrl(new URL("../..", import.meta.url));

/** The result of a program that has exited. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Returns the words that run one of the programs: `toolCommand("ctl/mod.ts", […])`. */
export function toolCommand(module: string, permissions: readonly string[]): string[] {
  return [Deno.execPath(), "run", "--frozen", "--no-prompt", ...permissions, join(ROOT, module)];
}

/** Returns the permissions that ctl needs, and no others. */
export function ctlPermissions({ config, messages }: { config: string; messages: string }): string[] {
  return [`--allow-read=${config},${messages}`, `--allow-write=${config},${messages}`];
}

/** Runs a program until it exits by itself. If it does not, it gets SIGTERM after a while, and then SIGKILL. */
export async function runTool(
  module: string,
  argv: readonly string[],
  permissions: readonly string[] = MONITOR_PERMISSIONS,
): Promise<Result> {
  return await run([...toolCommand(module, permissions), ...argv]);
}

/** Writes the bundles of some tools to a directory. */
export async function makeBundles(directory: string, ...tools: readonly Tool[]): Promise<void> {
  const permissions = ["--allow-read", "--allow-write", "--allow-run"];
  const { code, stderr } = await runTool("tools/bundle.ts", ["--output", directory, ...tools], permissions);
  assertEquals(code, 0, stderr);
}

/** Runs a command until it exits by itself. If it does not, it gets SIGTERM after a while, and then SIGKILL. */
export async function run([command, ...args]: readonly string[]): Promise<Result> {
  const child = new Deno.Command(command, { args, cwd: ROOT, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const timers = [
    setTimeout(() => signalIfThere(child.pid, "SIGTERM"), TIMEOUT_MS),
    setTimeout(() => signalIfThere(child.pid, "SIGKILL"), 2 * TIMEOUT_MS),
  ];
  const { code, stdout, stderr } = await child.output();
  timers.forEach(clearTimeout);
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Sends a signal to a process (or to a group if `pid` is negative) if it exists. */
export function signalIfThere(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes the empty cgroups of a killed monitor, whose log says where they are. Returns whether none is left. */
export async function removeCgroups(lines: readonly string[]): Promise<boolean> {
  const [, path] = lines.map((line) => / kill scope cgroup \((.*)\)$/.exec(line)).find(Boolean) ?? [];
  if (path === undefined) return true;
  return (await run(["sh", "-c", 'find "$0" -depth -type d -exec rmdir {} ";"; [ ! -d "$0" ]', path])).code === 0;
}

/** Waits until processes are gone, zombies included. */
export async function gone(...pids: readonly number[]): Promise<void> {
  for (const pid of pids) await until(`${pid} is gone`, () => !isAlive(pid));
}

/**
 * Returns a config of a sleeping process that differs from those of other tests. A monitor that may read /proc takes a
 * process with the same name and config for a leftover process of its own.
 */
export function sleeper(dir: TempDir): string {
  return JSON.stringify({ args: ["sleep", "1000"], env: { PLACE: dir.path } });
}

/** Writes a file by rename from a name that the monitor ignores. */
export function place(directory: string, name: string, text: string): void {
  const fresh = join(directory, `${name}.new`);
  Deno.writeTextFileSync(fresh, text);
  Deno.renameSync(fresh, join(directory, name));
}

/** The files that a monitor keeps in its messages directory and in its pid directory. */
const OWN = [".lock", ".children"];

/** The variables by which Deno finds commands and caches, and reaches registries. Any of them may be set. */
const DENO_NEEDS = /^(PATH|HOME|XDG_CACHE_HOME|DENO_\w+|JSR_URL|NPM_CONFIG_\w+|SSL_CERT_\w+|(https?|all|no)_proxy)$/i;

/** Returns the variables of the tests' environment that a Deno with its own environment needs. */
export function denoEnv(): Record<string, string> {
  return Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => DENO_NEEDS.test(name)));
}

/** Returns the names in a directory, sorted, without the monitor's own files. */
export function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).filter((name) => !OWN.includes(name)).sort();
}

/** Waits until a process that was just started may be restarted at once. */
export async function rested(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, MIN_START_GAP_MS + 20));
}

/** Returns when a line was logged, in milliseconds since 1970. */
export function timeOf(line: string): number {
  return Date.parse(line.slice(0, line.indexOf(" ")));
}

/** Returns a shell script as `args`. */
export function sh(script: string): string[] {
  return ["sh", "-c", script];
}

/** Decodes one character per byte. A TextDecoder decodes 0x80 to 0x9f as Windows does. */
export function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Returns whether a command exists. */
export function hasCommand(name: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${name}`], stdout: "null" }).outputSync().success;
}

/** The words that make a command ignore no signal, even if the tests inherited ignored ones, as from a script's `&`. */
export const HEEDING: readonly string[] = hasCommand("env") &&
    new Deno.Command("env", { args: ["--default-signal", "true"], stderr: "null" }).outputSync().success
  ? ["env", "--default-signal"]
  : [];

/** Returns the peak memory of a process, in MiB. */
export async function peakMemoryOf(pid: number): Promise<number> {
  // Deno itself may read /proc only with all permissions.
  const { stdout } = await run(["cat", `/proc/${pid}/status`]);
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(stdout)?.[1]) / 1024;
}

/** The size in bytes of a file at the limit of {@linkcode LIMITED}. A sparse file takes no disk space. */
export const BEYOND_LIMIT: number = 2 * 1024 ** 3;

/** The words that limit the file size of a command to 1 or 2 GiB, depending on the shell's unit. */
export const LIMITED: readonly string[] = [...sh('ulimit -f 2097152 && exec "$@"'), "sh"];
