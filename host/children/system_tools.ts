import { denoClock } from "../clock.ts";
import { isExecutable } from "../scopes/shell.ts";

/** The programs of the system that this program runs as its own user, and the packages that have them. */
const PACKAGES = {
  choom: "util-linux",
  env: "coreutils",
  id: "coreutils",
  nice: "coreutils",
  prlimit: "util-linux",
  setpriv: "util-linux",
  timeout: "coreutils",
  true: "coreutils",
} as const;

/** The name of such a program. */
export type SystemTool = keyof typeof PACKAGES;

/** Where they are. The PATH of a child could name other programs. */
const DIRECTORIES = ["/usr/bin", "/bin"];

/** How long one may take, in seconds. A name service can hang, and this program waits. */
const TIMEOUT_S = 5;

/** How long an answer is used again, in milliseconds, because many processes may start at once. */
const FRESH_MS = 1000;

/** The machine, or the permissions of this program, lack what is asked for. */
export class LackError extends Error {}

type Answer = { readonly text: string } | { readonly error: Error };

const answers = new Map<string, Answer>();
let freshUntil = -Infinity;

/** Returns the path of a program. @throws {LackError} If it is missing. */
export function pathOfTool(tool: SystemTool): string {
  const found = DIRECTORIES.map((directory) => `${directory}/${tool}`).find(isExecutable);
  if (found !== undefined) return found;
  throw new LackError(`${DIRECTORIES[0]}/${tool} (${PACKAGES[tool]}) is missing`);
}

/**
 * Runs a program, and returns what it writes to stdout.
 *
 * @throws {LackError} If it is missing, or refuses.
 * @throws {Error} If it cannot be started, or takes too long. That may pass.
 */
export function askTool(tool: SystemTool, ...args: readonly string[]): string {
  if (denoClock.now() >= freshUntil) answers.clear();
  const question = JSON.stringify([tool, ...args]);
  const answer = answers.get(question) ?? run(tool, args);
  if (answers.size === 0) freshUntil = denoClock.now() + FRESH_MS;
  answers.set(question, answer);
  if ("error" in answer) throw answer.error;
  return answer.text;
}

function run(tool: SystemTool, args: readonly string[]): Answer {
  const path = pathOfTool(tool);
  const { code, signal, stdout, stderr } = new Deno.Command(pathOfTool("timeout"), {
    args: ["-s", "KILL", `${TIMEOUT_S}`, path, ...args],
    env: { LC_ALL: "C" },
    clearEnv: true,
    cwd: "/",
    stdin: "null",
  }).outputSync();
  const decoder = new TextDecoder();
  const said = decoder.decode(stderr).replaceAll(`${path}: `, `${tool}: `);
  // nice(1) goes on with exit code 0.
  const complaint = said.split("\n").find((line) => line.startsWith(`${tool}: `));
  if (signal !== null) return { error: new Error(`${path} takes more than ${TIMEOUT_S} s`) };
  if (code === 0 && complaint === undefined) return { text: decoder.decode(stdout) };
  if (said.includes("BusyBox")) {
    return { error: new LackError(`${path} is BusyBox's, which cannot do that: install ${PACKAGES[tool]}`) };
  }
  const why = complaint ?? `${path}: ${said.trim().split("\n")[0] || `exit code ${code}`}`;
  const isDenied = /permitted|permission denied/i.test(why) && Deno.uid() !== 0;
  return { error: new LackError(isDenied ? `${why}; the monitor does not run as root` : why) };
}
