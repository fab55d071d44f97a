import { askShell } from "../scopes/shell.ts";
import { isGranted } from "../permission.ts";
import { type Signal, signalNumber } from "./signals.ts";

/** What this program inherited from its parent. */
export interface Inherited {
  /** Returns whether a signal is ignored, such as SIGHUP under nohup(1), or SIGINT in a script's background job. */
  isIgnored(signal: Signal): boolean;
  /** Returns whether a signal is blocked, so that it never arrives. */
  isBlocked(signal: Signal): boolean;
  /** Returns whether stdout (1) or stderr (2) is non-blocking: a write fails if the pipe or terminal is full. */
  isNonBlocking(fd: 1 | 2): boolean;
}

/**
 * Deno allows reading /proc only with --allow-all, but a shell may read it. If there is no /proc, or it shows other
 * processes, signals are tried: one that does not end a shell is ignored.
 */
const SCRIPT = `{
  read -r it _ </proc/self/stat && [ "$it" = $$ ] && cat /proc/$PPID/status /proc/$PPID/fdinfo/1 /proc/$PPID/fdinfo/2
} 2>/dev/null || {
  ulimit -c 0
  mask=0
  for it in 1 2 3 15; do sh -c "kill -$it \\$\\$" 2>/dev/null && mask=$((mask | 1 << it - 1)); done
  printf 'SigIgn:\\t%x\\n' $mask
}`;

/** Its value on Linux. */
const O_NONBLOCK = 0o4000;

/** Returns what this program inherited. Call it before listening to signals. What cannot be seen counts as false. */
export function inherited(): Inherited {
  const status = readStatus();
  const has = (mask: string) => {
    const bits = BigInt(`0x${new RegExp(`^${mask}:\\t([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
    return (signal: Signal) => (bits >> BigInt(signalNumber(signal) - 1) & 1n) === 1n;
  };
  const flags = [...status.matchAll(/^flags:\t([0-7]+)$/gm)].map(([, octal]) => Number.parseInt(octal!, 8));
  const isNonBlocking = (fd: 1 | 2) => ((flags[fd - 1] ?? 0) & O_NONBLOCK) !== 0;
  return { isIgnored: has("SigIgn"), isBlocked: has("SigBlk"), isNonBlocking };
}

/** Returns what /proc says about this program, as far as that can be read. */
function readStatus(): string {
  try {
    const files = ["status", "fdinfo/1", "fdinfo/2"];
    if (isGranted({ name: "read" })) return files.map((file) => Deno.readTextFileSync(`/proc/self/${file}`)).join("");
  } catch {
    // It cannot be read, or there is no /proc.
  }
  try {
    return isGranted({ name: "run" }) ? askShell(SCRIPT) : "";
  } catch {
    // There is no shell.
    return "";
  }
}
