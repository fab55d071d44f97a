import { openLibc } from "@ncolony/host";

const FUNCTIONS = {
  getpid: { parameters: [], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  errnoLocation: { name: "__errno_location", parameters: [], result: "pointer" },
  firstRealTime: { name: "__libc_current_sigrtmin", parameters: [], result: "i32" },
  sigaction: { parameters: ["i32", "pointer", "buffer"], result: "i32" },
  getpgrp: { parameters: [], result: "i32" },
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  waitid: { parameters: ["i32", "u32", "buffer", "i32"], result: "i32" },
  waitpid: { parameters: ["i32", "pointer", "i32"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  signalfd: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  execv: { parameters: ["buffer", "buffer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  waitAndRead: {
    name: "read",
    parameters: ["i32", "buffer", "usize"],
    result: "isize",
    nonblocking: true,
  },
  opendir: { parameters: ["buffer"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const O_CLOEXEC = 0o2000000;

/** The offset of the name in a `struct dirent` of 64-bit Linux, in glibc and musl. */
const D_NAME = 19;

/** The functions of the C library that the reaper needs and Deno does not offer. */
export class Libc {
  readonly #c: Deno.DynamicLibrary<typeof FUNCTIONS>["symbols"];

  /** Opens the C library. @throws {Error} If no known file name can be opened, or `--allow-ffi` is missing. */
  constructor() {
    try {
      this.#c = openLibc(FUNCTIONS);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw new Error("needs --allow-ffi to wait for orphans");
      throw error;
    }
  }

  /** Returns the pid of this process. */
  getpid(): number {
    return this.#c.getpid();
  }

  /** Sends a signal by number: to a process, to a process group if `pid` is negative, to all processes if it is -1. */
  kill(pid: number, number: number): "sent" | "gone" | "refused" {
    const EPERM = 1;
    if (this.#c.kill(pid, number) === 0) return "sent";
    const errno = new Deno.UnsafePointerView(this.#c.errnoLocation()!).getInt32();
    return errno === EPERM ? "refused" : "gone";
  }

  /** Returns the first real-time signal that the C library does not use itself. */
  firstRealTime(): number {
    return this.#c.firstRealTime();
  }

  /** Returns whether a signal is ignored. */
  isIgnored(number: number): boolean {
    const SIG_IGN = 1n;
    // The handler is the first field of a `struct sigaction` on Linux, in glibc and musl.
    const action = new BigUint64Array(32);
    return this.#c.sigaction(number, null, bytesOf(action)) === 0 && action[0] === SIG_IGN;
  }

  /** Makes this process a subreaper: it adopts orphaned descendants, as PID 1 does. */
  becomeSubreaper(): void {
    const PR_SET_CHILD_SUBREAPER = 36;
    this.#c.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n);
  }

  /** Returns the pid of a child that is a zombie; 0 if all children are running, null if there are none. */
  peekEnded(): number | null {
    const [P_ALL, WNOHANG, WEXITED, WNOWAIT] = [0, 1, 4, 0x01000000];
    const info = new Int32Array(32);
    if (
      this.#c.waitid(P_ALL, 0, bytesOf(info), WEXITED | WNOHANG | WNOWAIT) !== 0
    ) return null;
    // si_pid follows three integers and padding.
    return info[4]!;
  }

  /** Returns the signal that stopped a child since the last call, or null. */
  stopOf(pid: number): number | null {
    const [P_PID, WNOHANG, WSTOPPED] = [1, 1, 2];
    const info = new Int32Array(32);
    const hasStopped = this.#c.waitid(P_PID, pid, bytesOf(info), WSTOPPED | WNOHANG) === 0 && info[4] === pid;
    // si_status follows si_pid and si_uid.
    return hasStopped ? info[6]! : null;
  }

  /** Waits for a child that has exited, which removes the zombie. */
  reap(pid: number): void {
    const WNOHANG = 1;
    this.#c.waitpid(pid, null, WNOHANG);
  }

  /** Returns whether this process is in the foreground process group of its terminal, wherever its stdin comes from. */
  hasTerminal(): boolean {
    const O_NOCTTY = 0o400;
    const descriptor = this.#c.open(cString("/dev/tty"), O_NOCTTY | O_CLOEXEC);
    const STDIN = 0;
    const group = this.#c.tcgetpgrp(descriptor < 0 ? STDIN : descriptor);
    if (descriptor >= 0) this.#c.close(descriptor);
    return group === this.#c.getpgrp();
  }

  /** Sets the signals that the calling thread blocks. Returns the signals that it blocked before. */
  setMask(mask: SignalMask): SignalMask {
    const SIG_SETMASK = 2;
    const before = new BigUint64Array(16);
    this.#c.pthread_sigmask(SIG_SETMASK, bytesOf(mask), bytesOf(before));
    return before;
  }

  /** Sets signals to their default action, or ignores them. Both outlast {@linkcode exec}. */
  setAction(signals: readonly number[], action: "default" | "ignore"): void {
    const [SIG_DFL, SIG_IGN] = [null, Deno.UnsafePointer.create(1n)];
    for (const signal of signals) this.#c.signal(signal, action === "default" ? SIG_DFL : SIG_IGN);
  }

  /** Opens a signalfd, which reports blocked signals. */
  openSignals(mask: SignalMask): number {
    const SFD_CLOEXEC = 0o2000000;
    return this.#c.signalfd(-1, bytesOf(mask), SFD_CLOEXEC);
  }

  /** Waits for the next signal of a signalfd. */
  async nextSignal(
    descriptor: number,
  ): Promise<{ number: number; isFromKernel: boolean }> {
    const SI_KERNEL = 0x80;
    const info = new Int32Array(32);
    await this.#c.waitAndRead(
      descriptor,
      bytesOf(info),
      BigInt(info.byteLength),
    );
    return { number: info[0]!, isFromKernel: info[2] === SI_KERNEL };
  }

  /** Replaces this program with another one. Returns only if that fails. */
  exec(path: string, args: readonly string[]): void {
    const words = args.map(cString);
    const pointers = words.map((word) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(word)));
    this.#c.execv(
      cString(path),
      bytesOf(new BigUint64Array([...pointers, 0n])),
    );
  }

  /** Reads a file of /proc. Null if it cannot be opened. */
  readFile(path: string): string | null {
    const descriptor = this.#c.open(cString(path), O_CLOEXEC);
    if (descriptor < 0) return null;
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(4096);
    let text = "";
    for (;;) {
      const length = Number(
        this.#c.read(descriptor, buffer, BigInt(buffer.length)),
      );
      if (length <= 0) break;
      text += decoder.decode(buffer.subarray(0, length), { stream: true });
    }
    this.#c.close(descriptor);
    return text;
  }

  /** Lists the names in a directory of /proc. Empty if it cannot be opened. */
  readDirectory(path: string): string[] {
    const directory = this.#c.opendir(cString(path));
    if (directory === null) return [];
    const names: string[] = [];
    for (
      let entry = this.#c.readdir(directory);
      entry !== null;
      entry = this.#c.readdir(directory)
    ) {
      names.push(new Deno.UnsafePointerView(entry).getCString(D_NAME));
    }
    this.#c.closedir(directory);
    return names;
  }
}

/** A set of signals: bit n - 1 stands for signal n. */
export type SignalMask = BigUint64Array<ArrayBuffer>;

/** Returns the set of these signals. */
export function maskOf(numbers: readonly number[]): SignalMask {
  const mask = new BigUint64Array(16);
  for (const number of numbers) mask[0]! |= 1n << BigInt(number - 1);
  return mask;
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

function bytesOf(view: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer);
}
