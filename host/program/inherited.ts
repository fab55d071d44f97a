import { askShell } from "../children/shell.ts";
import { isGranted } from "../permission.ts";
import { type Signal, signalNumber } from "./signals.ts";

/** What this program has from its parent. */
export interface Inherited {
  /** Whether a signal is ignored, as SIGHUP is under nohup(1), and SIGINT in what a script starts with `&`. */
  isIgnored(signal: Signal): boolean;
  /** Whether a signal is blocked: it never comes. */
  isBlocked(signal: Signal): boolean;
  /** Whether stdout (1) or stderr (2) does not block: a write fails where nobody has read what is there. */
  isNonBlocking(fd: 1 | 2): boolean;
}

/**
 * Deno lets nobody read /proc without --allow-all, but a shell may. Where there is no /proc, or that of other processes, a shell
 * that is ended by a signal tells that it is not ignored.
 */
const SCRIPT = `{
  read -r it _ </proc/self/stat && [ "$it" = $$ ] && cat /proc/$PPID/status /proc/$PPID/fdinfo/1 /proc/$PPID/fdinfo/2
} 2>/dev/null || {
  ulimit -c 0
  mask=0
  for it in 1 2 3 15; do sh -c "kill -$it \\$\\$" 2>/dev/null && mask=$((mask | 1 << it - 1)); done
  printf 'SigIgn:\\t%x\\n' $mask
}`;

/** On Linux. */
const O_NONBLOCK = 0o4000;

/** Looks what this program inherited; to be asked before it listens to any signal. Where nothing can be seen, nothing is so. */
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

/** What /proc says of this program. */
function readStatus(): string {
  try {
    const files = ["status", "fdinfo/1", "fdinfo/2"];
    if (isGranted({ name: "read" })) return files.map((file) => Deno.readTextFileSync(`/proc/self/${file}`)).join("");
  } catch {
    // It may not, or there is no /proc.
  }
  try {
    return isGranted({ name: "run" }) ? askShell(SCRIPT) : "";
  } catch {
    // There is no shell.
    return "";
  }
}
