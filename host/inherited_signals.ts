import { isGranted } from "./permission.ts";
import { askShell } from "./shell.ts";
import { type Signal, signalNumber } from "./signals.ts";

/** What became of signals before this program began: it inherits what its parent ignored or blocked. */
export interface InheritedSignals {
  /** Whether a signal is ignored, as SIGHUP is under nohup(1), and SIGINT in what a script starts with `&`. */
  isIgnored(signal: Signal): boolean;
  /** Whether a signal is blocked: it never comes. */
  isBlocked(signal: Signal): boolean;
}

/**
 * Deno lets nobody read /proc without --allow-all, but a shell may. Where there is no /proc, a shell that is ended by a signal
 * tells that it is not ignored.
 */
const SCRIPT = `cat /proc/$PPID/status 2>/dev/null || {
  mask=0
  for it in 1 2 3 15; do sh -c "kill -$it \\$\\$" 2>/dev/null && mask=$((mask | 1 << it - 1)); done
  printf 'SigIgn:\\t%x\\n' $mask
}`;

/** Looks what this program inherited; to be asked before it listens to any signal. Where nothing can be seen, nothing is so. */
export function inheritedSignals(): InheritedSignals {
  const status = readStatus();
  const has = (mask: string) => {
    const bits = BigInt(`0x${new RegExp(`^${mask}:\\t([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
    return (signal: Signal) => (bits >> BigInt(signalNumber(signal) - 1) & 1n) === 1n;
  };
  return { isIgnored: has("SigIgn"), isBlocked: has("SigBlk") };
}

/** What /proc says of this program. */
function readStatus(): string {
  try {
    if (isGranted({ name: "read" })) return Deno.readTextFileSync("/proc/self/status");
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
