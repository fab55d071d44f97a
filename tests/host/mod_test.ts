import { assert, assertEquals } from "@std/assert";
import { denoClock, denoEnviron, denoHost } from "@ncolony/host";
import { sample } from "../core/samples.ts";
import { tempDir, until } from "../helpers.ts";

Deno.test("denoHost() starts children with the variables of the given environment", async () => {
  let text = "";
  const told: string[] = [];
  const output = {
    stdout: (bytes: Uint8Array) => void (text += new TextDecoder().decode(bytes)),
    stderr: () => {},
    end: () => told.push("end"),
  };
  const sink = {
    leaderExited: () => told.push("leader-exited"),
    groupExited: () => told.push("group-exited"),
    warn: () => {},
  };
  const host = denoHost({ environ: (name) => name === "COLOUR" ? "green" : undefined });
  const spec = sample("web", { args: ["/bin/sh", "-c", "echo $COLOUR"], env_inherit: ["COLOUR"] });
  assert(host.spawn(spec, output, sink) !== null);
  await until("it has ended", () => told.length === 3);
  assertEquals(text, "green\n");
});

Deno.test("denoHost() uses the real machine", async () => {
  using dir = tempDir();
  const host = denoHost();
  assertEquals(host.clock, denoClock);
  assertEquals(host.gid, Deno.gid());
  assertEquals(host.directory(dir.path).names(), []);
  assertEquals(host.messagesDirectory(dir.path).remove("web"), null);
  assertEquals(host.pidFiles(dir.path).write(sample("web"), 1), null);
  using lock = await host.lock(dir.path, 0);
  assert(lock !== null);
});

Deno.test("denoEnviron() returns a variable of this program", () => {
  assertEquals(denoEnviron("PATH"), Deno.env.get("PATH"));
  assertEquals(denoEnviron("NO_SUCH_VARIABLE"), undefined);
});
