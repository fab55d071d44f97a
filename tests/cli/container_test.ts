import { assert, assertEquals } from "@std/assert";
import { tempDir, until } from "../helpers.ts";
import { canIsolate, Container, makeRoot } from "./container.ts";
import { namesIn, run, sh } from "./tools.ts";

/** Returns how many children of a process are zombies. */
async function zombiesBelow(pid: number): Promise<number> {
  const { stdout } = await run(["ps", "--ppid", `${pid}`, "-o", "stat="]);
  return stdout.split("\n").filter((state) => state.startsWith("Z")).length;
}

Deno.test({
  name: "reaper and monitor run a colony in an otherwise empty container (skipped unless root with namespaces)",
  ignore: !await canIsolate(),
  fn: async () => {
    using root = tempDir();
    await makeRoot(root, "monitor", "reaper");
    const abandons = "n=0; while :; do (sleep 0.05 &); n=$((n+1)); echo $n > /tmp/abandoned; sleep 0.01; done";
    const configs = { web: { args: ["cat"] }, abandons: { args: sh(abandons), env: { PATH: "/bin" } } };
    for (const [name, config] of Object.entries(configs)) {
      Deno.writeTextFileSync(root.file("conf", name), JSON.stringify(config));
    }
    const deno = ["/bin/deno", "run", "--no-prompt", "--no-config"];
    const reaper = [...deno, "--allow-run", "--allow-ffi", "/opt/ncolony/ncolony-reaper.js", "--"];
    const monitor = [...deno, "--allow-read", "--allow-write=/messages,/pids", "--allow-run", "--allow-env"];
    const options = ["--config", "/conf", "--messages", "/messages", "--pid", "/pids"];
    const argv = [...reaper, ...monitor, "--allow-sys=uid,gid", "/opt/ncolony/ncolony-monitor.js", ...options];
    Deno.writeTextFileSync(root.file("tmp", "abandoned"), "0");
    const setup = `mount -t proc proc ${root.path}/proc && hostname colony`;
    await using container = new Container(setup, ["chroot", root.path, ...argv], { DENO_DIR: "/tmp/deno" });
    const init = await container.init;
    const pids = root.file("pids");
    await until("the processes run", () => namesIn(root.path).includes("pids") && namesIn(pids).length === 2);
    await until("200 were abandoned", () => Number(Deno.readTextFileSync(root.file("tmp", "abandoned"))) > 200);
    assert(await zombiesBelow(init) < 20, "they are waited for as they end");
    container.signal("SIGTERM");
    const { code, lines } = await container.ended();
    assertEquals(code, 0, lines.join("\n"));
    assert(lines.some((line) => line.endsWith("INFO all processes have ended")), lines.join("\n"));
    assertEquals(namesIn(pids), []);
  },
});
