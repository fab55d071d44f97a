/**
 * Creates a colony in a temporary directory with the real ctl, runs the real monitor in the foreground, and cleans up.
 *
 * The demo stops after `--seconds N`, or on Ctrl-C.
 */

import { dirname, fromFileUrl, join } from "@std/path";

const root = dirname(dirname(fromFileUrl(import.meta.url)));
const deno = Deno.execPath();
const run = ["run", "--frozen"];
const seconds = parseSeconds(Deno.args);
const home = Deno.makeTempDirSync({ prefix: "ncolony-demo-" });
const config = join(home, "conf");

// Only the first signal counts: the terminal and `deno task` may both pass on the same Ctrl-C.
const asked = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, () => asked.resolve());

let code: number;
try {
  for (const name of ["conf", "messages"]) Deno.mkdirSync(join(home, name));
  addProcesses();
  explain();
  code = await runMonitor();
} finally {
  Deno.removeSync(home, { recursive: true });
}
Deno.exit(code);

function addProcesses(): void {
  const server = join(root, "tools", "demo_server.ts");
  const serverArgs = [...run, "--allow-net=127.0.0.1", "--allow-env=NCOLONY_NAME", server].map((arg) => `--arg=${arg}`);
  ctl("add", "my-cat-program", "--cmd", "cat");
  ctl("add", "web", "--cmd", deno, ...serverArgs, "--env-inherit", "HOME", "--env-inherit", "DENO_DIR");
  ctl("add", "crasher", "--cmd", "sh", "--arg=-c", "--arg", "echo I live for three seconds; sleep 3; exit 1");
  // ctl would refuse this config.
  Deno.writeTextFileSync(join(config, "mistake"), '{"args": "not a list"}');
}

function ctl(...words: string[]): void {
  const args = [...run, "--quiet", `--allow-read=${home}`, `--allow-write=${home}`, join(root, "ctl", "mod.ts")];
  const { success } = new Deno.Command(deno, { args: [...args, "--colony", home, ...words], stderr: "inherit" })
    .outputSync();
  if (!success) throw new Error(`Cannot run ctl ${words[0]}`);
}

function explain(): void {
  const line = (words: string) => `  npx -y deno@2.9.6 task ctl --colony ${home} ${words}`;
  print(`
Four processes, one of them with an invalid config, and a monitor in the foreground.
Try these in another terminal, in the project directory:

${line("status")}
${line("why crasher")}
${line("restart web")}
${line("add clock --cmd sh --arg=-c --arg 'while date; do sleep 1; done'")}
${line("remove clock")}

${seconds === null ? "Ctrl-C stops everything." : `Everything stops after ${seconds} seconds.`}
`);
}

async function runMonitor(): Promise<number> {
  const args = [
    ...run,
    "--quiet",
    "--allow-all",
    join(root, "monitor", "mod.ts"),
    "--colony",
    home,
    "--no-logs",
  ];
  // The monitor gets its own process group, so that Ctrl-C reaches it once, from here.
  const monitor = new Deno.Command(deno, { args, stdin: "null", stdout: "inherit", stderr: "inherit", detached: true });
  const child = monitor.spawn();
  const timer = seconds === null ? undefined : setTimeout(() => asked.resolve(), seconds * 1000);
  const status = child.status.then(({ code }) => code);
  await Promise.race([asked.promise, status]);
  clearTimeout(timer);
  try {
    child.kill("SIGTERM");
  } catch {
    // It has already exited.
  }
  return await status;
}

function parseSeconds(argv: readonly string[]): number | null {
  const [option, value] = argv.flatMap((word) => word.split("="));
  const seconds = Number(value);
  if (option === undefined) return null;
  if (option === "--seconds" && value && seconds >= 0 && seconds <= 1e6) return seconds;
  print("Usage: deno task demo [--seconds N]");
  Deno.exit(2);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
