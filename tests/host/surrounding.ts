import { assertEquals } from "@std/assert";
import { basename, fromFileUrl } from "@std/path";
import { type TempDir, tempDir } from "../helpers.ts";
import { canRun, IS_ROOT } from "./actors.ts";
import type { Order, Report } from "./surroundings_program.ts";

const CAN_SURROUND = IS_ROOT && canRun("unshare", "--mount", "true") &&
  ["setpriv", "prlimit", "choom"].every((tool) => canRun(tool, "--version"));

/** Defines a test of surroundings, which needs root. `others` names commands that it needs as well. */
export function test(name: string, fn: () => Promise<void>, ...others: string[]): void {
  const ignore = !CAN_SURROUND || !others.every((command) => canRun(command, "--help"));
  const needs = ["root", "unshare", "util-linux", ...others].join(", ");
  Deno.test({ name: `${name}${ignore ? ` (skipped: needs ${needs})` : ""}`, ignore, fn });
}

/** A user of {@linkcode ACCOUNTS}, its group, and its other group. */
export const APP = { name: "app", uid: 4711, gid: 4712, other: 4713 } as const;

/** Files of the system that know the user `app` and the group `extra`, and not much else. */
export const ACCOUNTS: Readonly<Record<string, string>> = {
  "/etc/passwd": "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\napp:x:4711:4712::/:/bin/sh\n",
  "/etc/group": "root:x:0:\nnogroup:x:65534:\napp:x:4712:\nown:x:4713:app\nextra:x:4714:\n",
  "/etc/nsswitch.conf": "passwd: files\ngroup: files\n",
};

/**
 * Returns the words that run a command in a mount namespace in which files of the system have another content. They are
 * in `dir` under their own names, where a test may edit them in place.
 */
export function withFiles(dir: TempDir, files: Readonly<Record<string, string>>): string[] {
  const places = Object.entries(files).flatMap(([path, text]) => {
    const own = dir.write(basename(path), text);
    Deno.chmodSync(own, text.startsWith("#!") ? 0o755 : 0o644);
    return [own, path];
  });
  return inNamespace(places);
}

/** Returns the words that run a command in a mount namespace in which other files are in place of these: `[from, to]`. */
export function inNamespace(places: readonly string[]): string[] {
  const script = 'while [ "$1" != "--" ]; do mount --bind "$1" "$2" || exit; shift 2; done; shift; exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, "sh", ...places, "--"];
}

/** Runs {@link ./surroundings_program.ts} under other words, and returns what it prints. */
export async function report(order: Order, under: readonly string[] = []): Promise<Report> {
  const program = fromFileUrl(import.meta.resolve("./surroundings_program.ts"));
  const deno = [Deno.execPath(), "run", "--quiet", "--frozen", "--no-prompt", "-A", program, JSON.stringify(order)];
  const [command, ...args] = [...under, ...deno];
  const { code, stdout, stderr } = await new Deno.Command(command!, { args, cwd: "/", stdin: "null" }).output();
  const text = new TextDecoder();
  assertEquals([code, text.decode(stderr)], [0, ""]);
  return JSON.parse(text.decode(stdout));
}

/** Does the same among {@linkcode ACCOUNTS}, with other files too. */
export async function reportAmong(files: Readonly<Record<string, string>>, order: Order): Promise<Report> {
  using dir = tempDir();
  return await report(order, withFiles(dir, { ...ACCOUNTS, ...files }));
}

/** Returns a config that runs a shell script. */
export function shell(
  script: string,
  monitor: Record<string, unknown> = {},
  config: Record<string, unknown> = {},
): { readonly args: readonly string[] } & Record<string, unknown> {
  return { args: ["/bin/sh", "-c", script], ...config, "ncolony.monitor": monitor };
}
