/** The file names of the C library: glibc first, then musl. */
const NAMES = [
  "libc.so.6",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
  "libc.so",
];

/**
 * Opens the C library, which takes 2 ms or more. Returns these functions of it.
 *
 * @throws {Deno.errors.NotCapable} If `--allow-ffi` is missing.
 * @throws {Error} If no known file name can be opened.
 */
export function openLibc<const T extends Deno.ForeignLibraryInterface>(
  functions: T,
): Deno.DynamicLibrary<T>["symbols"] {
  for (const name of NAMES) {
    try {
      return Deno.dlopen(name, functions).symbols;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  }
  throw new Error(`cannot load the C library (tried ${NAMES.join(", ")})`);
}
