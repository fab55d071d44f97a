import { MIN_START_GAP_MS } from "@ncolony/core";
import { fromFileUrl, join } from "@std/path";
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

/** How long a program that should have ended is given. */
export const PATIENCE_MS = 15_000;

/** The repository. */
export const ROOT: string = fromFileUrl(new URL("../..", import.meta.url));

/** What a program that ended left. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The words that run one of the programs: `toolCommand("ctl/mod.ts", […])`. */
export function toolCommand(module: string, permissions: readonly string[]): string[] {
  return [Deno.execPath(), "run", "--frozen", "--no-prompt", ...permissions, join(ROOT, module)];
}

/** The permissions that ctl needs, and no others. */
export function ctlPermissions({ config, messages }: { config: string; messages: string }): string[] {
  return [`--allow-read=${config},${messages}`, `--allow-write=${config},${messages}`];
}

/** Runs a program until it ends by itself; one that does not is asked to after a while, and then killed. */
export async function runTool(
  module: string,
  argv: readonly string[],
  permissions: readonly string[] = MONITOR_PERMISSIONS,
): Promise<Result> {
  return await run([...toolCommand(module, permissions), ...argv]);
}

/** Runs a command until it ends by itself; one that does not is asked to after a while, and then killed. */
export async function run([command, ...args]: readonly string[]): Promise<Result> {
  const child = new Deno.Command(command, { args, cwd: ROOT, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const timers = [
    setTimeout(() => signalIfThere(child.pid, "SIGTERM"), PATIENCE_MS),
    setTimeout(() => signalIfThere(child.pid, "SIGKILL"), 2 * PATIENCE_MS),
  ];
  const { code, stdout, stderr } = await child.output();
  timers.forEach(clearTimeout);
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Sends a signal to a process (or, where `pid` is negative, to a group), if it is still there. */
export function signalIfThere(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Waits until nobody is left of processes, zombies included. */
export async function gone(...pids: readonly number[]): Promise<void> {
  for (const pid of pids) await until(`${pid} is gone`, () => !isAlive(pid));
}

/**
 * A config of a process that sleeps, as no other test has it: of two processes with the same name and config, a monitor that
 * may read /proc takes either for one that a killed monitor of its own colony left.
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

/** What a monitor keeps in its messages directory, and in its pid directory. */
const OWN = [".lock", ".children"];

/** The variables by which Deno finds commands and caches, and reaches registries: a machine may have any of them set. */
const DENO_NEEDS = /^(PATH|HOME|XDG_CACHE_HOME|DENO_\w+|JSR_URL|NPM_CONFIG_\w+|SSL_CERT_\w+|(https?|all|no)_proxy)$/i;

/** What a Deno that a test starts with an environment of its own needs of the environment of the tests. */
export function denoEnv(): Record<string, string> {
  return Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => DENO_NEEDS.test(name)));
}

/** The names in a directory, in order, less the files that a monitor keeps in it for itself. */
export function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).filter((name) => !OWN.includes(name)).sort();
}

/** Waits until what has just been started may be started again at once. */
export async function rested(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, MIN_START_GAP_MS + 20));
}

/** A shell script as `args`. */
export function sh(script: string): string[] {
  return ["sh", "-c", script];
}

/** A character for each byte; that of a TextDecoder is Windows's, and has others for 0x80 to 0x9f. */
export function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Whether there is such a command. */
export function hasCommand(name: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${name}`], stdout: "null" }).outputSync().success;
}

/** What begins a command that ignores no signal, whatever the tests inherited: of a script's `&`, for instance. */
export const HEEDING: readonly string[] = hasCommand("env") &&
    new Deno.Command("env", { args: ["--default-signal", "true"], stderr: "null" }).outputSync().success
  ? ["env", "--default-signal"]
  : [];

/** The most memory that a process ever held at once, in MiB. */
export async function peakMemoryOf(pid: number): Promise<number> {
  // Deno lets itself read /proc only with all permissions.
  const { stdout } = await run(["cat", `/proc/${pid}/status`]);
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(stdout)?.[1]) / 1024;
}

/** What a file is larger than that nobody may write to who is {@linkcode LIMITED}, in bytes: it takes no room on the disk. */
export const BEYOND_LIMIT: number = 2 * 1024 ** 3;

/** The words that put what comes after them under a file size limit: half of that, or all of it, as shells count. */
export const LIMITED: readonly string[] = [...sh('ulimit -f 2097152 && exec "$@"'), "sh"];
