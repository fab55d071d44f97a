import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { hasCommand, IS_ROOT, namesIn, PATIENCE_MS, ROOT, run, sh, signalIfThere } from "./tools.ts";

const NAMESPACES = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--net"];

async function canIsolate(): Promise<boolean> {
  if (!IS_ROOT || !["unshare", "chroot", "busybox", "ldd"].every(hasCommand)) return false;
  return (await run([...NAMESPACES, "true"])).code === 0;
}

/** Puts a program and the libraries that it is linked to into a root directory. */
async function install(root: TempDir, program: string, path: string): Promise<void> {
  const { stdout } = await run(["ldd", program]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library!);
  for (const [from, to] of [[program, path], ...libraries.map((library) => [library, library])] as const) {
    Deno.mkdirSync(join(root.path, to, ".."), { recursive: true });
    Deno.copyFileSync(from, join(root.path, to));
    Deno.chmodSync(join(root.path, to), 0o755);
  }
}

/** A root directory with Deno, busybox and the programs, each one file, and with nothing else. */
async function makeRoot(root: TempDir): Promise<void> {
  await install(root, Deno.execPath(), "/bin/deno");
  const busybox = (await run(["sh", "-c", "command -v busybox"])).stdout.trim();
  await install(root, busybox, "/bin/busybox");
  for (const applet of ["sh", "sleep", "cat", "mount"]) Deno.symlinkSync("busybox", root.file("bin", applet));
  for (const directory of ["conf", "messages", "proc", "dev", "tmp"]) root.dir(directory);
  assertEquals((await run(["mknod", root.file("dev", "null"), "c", "1", "3"])).code, 0);
  const bundle = ["run", "--frozen", "--allow-read", "--allow-write", "--allow-run", join(ROOT, "tools", "bundle.ts")];
  assertEquals((await run([Deno.execPath(), ...bundle, "--output", root.dir("ncolony")])).code, 0);
}

/** How many processes below one are zombies. */
async function zombiesBelow(pid: number): Promise<number> {
  const { stdout } = await run(["ps", "--ppid", `${pid}`, "-o", "stat="]);
  return stdout.split("\n").filter((state) => state.startsWith("Z")).length;
}

Deno.test({
  name: "reaper and monitor run a colony in a container with nothing else in it (skipped unless root with namespaces)",
  ignore: !await canIsolate(),
  fn: async () => {
    using root = tempDir();
    await makeRoot(root);
    const abandons = "n=0; while :; do (sleep 0.05 &); n=$((n+1)); echo $n > /tmp/abandoned; sleep 0.01; done";
    const configs = { web: { args: ["cat"] }, abandons: { args: sh(abandons), env: { PATH: "/bin" } } };
    for (const [name, config] of Object.entries(configs)) {
      Deno.writeTextFileSync(root.file("conf", name), JSON.stringify(config));
    }
    const deno = "/bin/deno run --no-prompt --no-config --no-remote --no-npm";
    const reaper = `${deno} --allow-run --allow-ffi /ncolony/ncolony-reaper.js --`;
    const monitor = `${deno} --allow-read --allow-write=/messages,/pids --allow-run --allow-env --allow-sys=uid,gid`;
    const options = "/ncolony/ncolony-monitor.js --config /conf --messages /messages --pid /pids";
    const script =
      `mount -t proc proc ${root.path}/proc && hostname colony && exec chroot ${root.path} ${reaper} ${monitor} ${options}`;
    const env = { PATH: Deno.env.get("PATH")!, DENO_DIR: "/tmp/deno" };
    const [command, ...args] = [...NAMESPACES, "sh", "-c", script];
    const unshare = new Deno.Command(command!, { args, env, clearEnv: true, stdout: "null", stderr: "piped" }).spawn();
    const said = new Response(unshare.stderr).text();
    let init = 0;
    const end = (signal: Deno.Signal) => signalIfThere(init || unshare.pid, signal);
    const timer = setTimeout(() => end("SIGKILL"), 2 * PATIENCE_MS);
    try {
      await until("unshare has a child", () => {
        const { stdout } = new Deno.Command("ps", { args: ["--ppid", `${unshare.pid}`, "-o", "pid="] }).outputSync();
        init = Number(new TextDecoder().decode(stdout));
        return init > 0;
      });
      await until(
        "the processes run",
        () => namesIn(root.path).includes("pids") && namesIn(root.file("pids")).length === 2,
      );
      await until("200 were abandoned", () => Number(Deno.readTextFileSync(root.file("tmp", "abandoned"))) > 200);
      assert(await zombiesBelow(init) < 20, "they are waited for as they end");
    } finally {
      end("SIGTERM");
      const { code } = await unshare.status;
      clearTimeout(timer);
      const lines = (await said).split("\n");
      assertEquals(code, 0, lines.join("\n"));
      assert(lines.some((line) => line.endsWith("INFO everything has ended")), lines.join("\n"));
      assertEquals(namesIn(root.file("pids")), []);
    }
  },
});
