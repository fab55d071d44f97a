import { openFile } from "./open.ts";
import { isGranted } from "../permission.ts";

/** The longest file that is read, in bytes. */
const MAX_BYTES = 4096;

/**
 * Reads a secret from a file, without the whitespace around it. A link is followed, since Kubernetes mounts secrets as
 * links.
 *
 * @throws {Error} If it cannot be read, or if users other than its owner and its group may read it, or others than its
 * owner may write it.
 */
export function readSecret(path: string): string {
  using file = openFile(Deno.realPathSync(path));
  const { uid, mode } = file.facts;
  if (((mode ?? 0) & 0o027) !== 0) {
    throw new Error(`its mode is ${((mode ?? 0) & 0o777).toString(8).padStart(4, "0")}; use 0600 or 0640`);
  }
  // Without the permission, Deno may prompt at the terminal.
  if (isGranted({ name: "sys", kind: "uid" }) && uid !== 0 && uid !== Deno.uid()) {
    throw new Error(`owned by uid ${uid}`);
  }
  const bytes = new Uint8Array(MAX_BYTES + 1);
  const length = file.read(bytes, 0, bytes.length);
  if (length > MAX_BYTES) throw new Error(`must be at most ${MAX_BYTES} bytes`);
  return new TextDecoder().decode(bytes.subarray(0, length)).trim();
}
