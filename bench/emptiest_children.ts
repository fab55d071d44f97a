/** Starts the processes of a config directory, for programs that only copy output. SIGTERM ends the first process. */
export function startAll(configs: string, copy: (name: string, stdout: ReadableStream<Uint8Array>) => void): void {
  for (const { name } of Deno.readDirSync(configs)) {
    const { args: [command, ...args] } = JSON.parse(Deno.readTextFileSync(`${configs}/${name}`));
    const child = new Deno.Command(command, { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
    Deno.addSignalListener("SIGTERM", () => {
      child.kill();
      Deno.exit();
    });
    copy(name, child.stdout);
  }
}
