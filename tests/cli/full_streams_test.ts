import { assertEquals } from "@std/assert";
import { Program } from "./program.ts";
import { hasCommand, MONITOR_PERMISSIONS, sh, signalIfThere, toolCommand } from "./tools.ts";
import { Ground } from "./checkers.ts";

/** Becomes a command whose stdout and stderr do not block. */
const NON_BLOCKING = [
  "python3",
  "-c",
  "import os, sys; os.set_blocking(1, False); os.set_blocking(2, False); os.execvp(sys.argv[1], sys.argv[1:])",
];

Deno.test({
  name: "all lines of a process reach a stdout that does not block, however slowly it is read",
  ignore: !hasCommand("python3"),
  fn: async () => {
    using ground = new Ground();
    ground.put("web", { args: sh("seq 30000; echo end; exec sleep 1000") });
    const monitor = toolCommand("monitor/mod.ts", MONITOR_PERMISSIONS);
    await using program = new Program([...NON_BLOCKING, ...monitor, ...ground.places]);
    await program.waitFor(/^\[web\] end$/);
    const numbers = program.stdout.filter((line) => /^\[web\] \d+$/.test(line));
    assertEquals([numbers.length, numbers.at(-1)], [30_000, "[web] 30000"]);
    program.process.kill("SIGTERM");
    assertEquals(await program.ended(), 0);
  },
});

/** Starts a command, prints its pid, and reads its stderr at 1 MiB a second. Prints only the events of processes. */
const SLOW_READER = `
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
print("monitor", child.pid, flush=True)
rest = b""
while True:
    chunk = child.stderr.read1(65536)
    if not chunk: break
    lines = (rest + chunk).split(b"\\n")
    rest = lines.pop()
    for line in lines:
        if not line.startswith(b"[loud]"): print(line.decode(), flush=True)
    time.sleep(0.06)
sys.exit(child.wait())
`;

Deno.test({
  name: "the monitor logs all events while a process floods stderr",
  ignore: !hasCommand("python3"),
  fn: async () => {
    using ground = new Ground();
    ground.put("loud", { args: sh("exec yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx >&2") });
    const monitor = toolCommand("monitor/mod.ts", MONITOR_PERMISSIONS);
    await using reader = new Program(["python3", "-c", SLOW_READER, ...monitor, ...ground.places]);
    const pid = await reader.numberIn(/^monitor (\d+)$/);
    try {
      await reader.waitFor(/ loud: gone -> running /);
      for (let count = 1; count <= 20; count++) ground.put(`web${count}`, { args: ["sleep", "1000"] });
      for (let count = 1; count <= 20; count++) {
        await reader.waitFor(new RegExp(` web${count}: gone -> running .*, pid \\d+$`));
      }
      assertEquals(reader.matching(/lost/), []);
    } finally {
      signalIfThere(pid, "SIGTERM");
    }
    assertEquals(await reader.ended(), 0);
  },
});
