import { lstat } from "../../host/files/lstat.ts";

/** Runs a program to its end, with its output on that of this program. @throws {Error} If it fails. */
export async function run(command: string, args: readonly string[], cwd?: string): Promise<void> {
  const options: Deno.CommandOptions = { args: [...args], stdin: "null", ...(cwd === undefined ? {} : { cwd }) };
  const { code } = await new Deno.Command(command, options).spawn().status;
  if (code !== 0) throw new Error(`Cannot go on: ${command} ${args[0]} failed with ${code}`);
}

/** Returns those of the programs that are not installed. */
export function missingPrograms(...names: readonly string[]): string[] {
  const places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return names.filter((name) => !places.some((place) => lstat(`${place}/${name}`) !== null));
}

/** Writes a line to a stream. */
export function print(line: string, to: { writeSync(bytes: Uint8Array): number } = Deno.stdout): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let written = 0; written < bytes.length;) written += to.writeSync(bytes.subarray(written));
}
