/**
 * Traces a process and never waits for it, so that SIGKILL does not end it: `tracer.ts PID OPTIONS`. Prints `held`.
 * Exits, and so releases the process, when its stdin ends.
 */

const PTRACE_SEIZE = 0x4206n;

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  ptrace: { parameters: ["i64", "i64", "i64", "i64"], result: "i64" },
});
const [pid, options] = Deno.args.map(BigInt);
if (libc.ptrace(PTRACE_SEIZE, pid, 0n, options) !== 0n) Deno.exit(1);
Deno.stdout.writeSync(new TextEncoder().encode("held\n"));
await Deno.stdin.readable.pipeTo(new WritableStream());
