import { lstat } from "../../host/files/lstat.ts";
import { type Disk, TEST_UNIT } from "./disk.ts";
import { print } from "./run.ts";

/** A disk to boot, and where the console is written to. */
export interface Machine extends Disk {
  /** The file of the kernel's console. */
  readonly log: string;
}

/** How the tests ended. */
export interface Outcome {
  /** Whether all of them passed. */
  readonly passed: boolean;
  /** Why not. */
  readonly reason: string;
}

/** The line that the machine writes after the tests. */
const RESULT = /^vm_test: (\S+)$/;

/**
 * Boots a machine, and writes the output of its tests to stdout. The machine ends before this resolves: at the end of
 * the tests, after the timeout, or when this program gets SIGINT or SIGTERM. It also ends if this program is killed.
 */
export async function boot(machine: Machine, timeoutMs: number): Promise<Outcome> {
  const args = ["--pdeathsig", "KILL", "qemu-system-x86_64", ...argsOf(machine)];
  const qemu = new Deno.Command("setpriv", { args, stdin: "null", stdout: "piped" }).spawn();
  let reason = `the machine stopped before the tests were over; its console is in ${machine.log}`;
  const end = (why: string) => {
    reason = why;
    try {
      qemu.kill("SIGKILL");
    } catch {
      // It has just exited.
    }
  };
  const onSignal = () => end("interrupted");
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
  const timer = setTimeout(() => end(`the tests took more than ${timeoutMs / 60_000} minutes`), timeoutMs);
  try {
    const result = await showResult(qemu.stdout);
    await qemu.status;
    if (result !== null) reason = result === "success" ? "" : "some tests failed";
    return { passed: result === "success", reason };
  } finally {
    end(reason);
    clearTimeout(timer);
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, onSignal);
  }
}

/** Returns the arguments of QEMU. The first serial port is the console, the second one that of the tests. */
function argsOf({ image, kernel, initrd, log }: Machine): string[] {
  const words = ["root=/dev/vda", "rw", "console=ttyS0", "panic=-1", "mitigations=off", `systemd.wants=${TEST_UNIT}`];
  return [
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none"],
    // The second is software emulation.
    ...["-accel", lstat("/dev/kvm") !== null ? "kvm" : "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2G"],
    ...["-kernel", kernel, "-initrd", initrd, "-append", words.join(" ")],
    ...["-drive", `file=${image},format=raw,if=virtio,cache=unsafe`],
    ...["-serial", `file:${log}`, "-serial", "stdio"],
  ];
}

/** Writes all lines but the result to stdout. Resolves with the result. Null if there is none. */
async function showResult(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string | null> {
  let [rest, result]: [string, string | null] = ["", null];
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).replaceAll("\r", "").split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const found = RESULT.exec(line)?.[1];
      if (found === undefined) print(line);
      else result = found;
    }
  }
  return result;
}
