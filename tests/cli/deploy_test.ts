import { assert, assertEquals, assertLess } from "@std/assert";
import { parseSpec } from "@ncolony/core";
import { join } from "@std/path";
import { parseAllDocuments } from "yaml";
import { PERMISSIONS, V8_FLAGS } from "../../tools/permissions.ts";
import { tempDir } from "../helpers.ts";
import { canIsolate, Container, makeRoot } from "./container.ts";
import { hasCommand, ROOT, run } from "./tools.ts";

const DEPLOY = join(ROOT, "deploy");
const dockerfile = Deno.readTextFileSync(join(DEPLOY, "Dockerfile"));

const [configMap, deployment] = parseAllDocuments(Deno.readTextFileSync(join(DEPLOY, "kubernetes.yaml")))
  .map((document) => document.toJS());
const pod = deployment.spec.template.spec;

/** Returns the words of a Dockerfile instruction in JSON form. */
function words(instruction: string): string[] {
  return JSON.parse(new RegExp(`^${instruction} .*?(\\[".*\\])$`, "m").exec(dockerfile)![1]!);
}

/** Returns the variables that the Dockerfile sets. */
function environment(): Record<string, string> {
  const text = /^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile)![1]!.replaceAll("\\\n", " ");
  return Object.fromEntries([...text.matchAll(/(\w+)=('[^']*'|\S+)/g)].map(([, name, value]) => {
    return [name!, value!.replace(/^'(.*)'$/, "$1")];
  }));
}

/** Mounts volumes as Kubernetes does: root's, mode 0777, the ConfigMap read-only and made of links, / read-only. */
function mountAsKubernetes(root: string): string {
  const tmpfs = (path: string) => `mount -t tmpfs -o mode=0777 tmpfs ${root}${path}`;
  return [
    `mount --bind ${root} ${root}`,
    `mount -t proc proc ${root}/proc`,
    ...["/conf", "/messages", "/run/ncolony"].map(tmpfs),
    `mkdir ${root}/conf/..1 && ln -s ..1 ${root}/conf/..data && ln -s ..data/web ${root}/conf/web`,
    `cp ${root}/web.json ${root}/conf/..1/web`,
    `mount -o remount,ro ${root}/conf && mount -o remount,bind,ro ${root}`,
  ].join(" && ");
}

Deno.test({
  name: "the image's command line runs in a pod as nobody, on a read-only root (skipped unless root with namespaces)",
  ignore: !await canIsolate(),
  fn: async () => {
    using root = tempDir();
    Deno.chmodSync(root.path, 0o755);
    await makeRoot(root, "monitor", "reaper");
    Deno.copyFileSync(join(DEPLOY, "alive.js"), root.file("opt", "ncolony", "alive.js"));
    Deno.mkdirSync(root.file("run", "ncolony"));
    root.write("web.json", JSON.stringify({ args: ["cat"] }));
    const env = { ...environment(), PATH: "/usr/bin:/bin:/usr/sbin:/sbin" };
    const inside = (argv: string[]) => ["chroot", "--userspec=65532:65532", root.path, ...argv];
    const command = [...words("ENTRYPOINT"), ...pod.containers[0].args];
    await using container = new Container(mountAsKubernetes(root.path), inside(command), env);
    const init = await container.init;
    // Its mounts are visible only from inside.
    const within = (...argv: string[]) => run(["nsenter", "-t", `${init}`, "-m", "-p", ...inside(argv)]);
    for (let round = 0; !(await within("/bin/busybox", "ps")).stdout.includes("/bin/cat\n"); round++) {
      assertLess(round, 200, "web runs");
    }
    for (let round = 0; (await within(...words("HEALTHCHECK"))).code !== 0; round++) {
      assertLess(round, 50, "it is alive");
    }
    assertEquals((await within("/bin/busybox", "touch", "/conf/x")).code, 1, "read-only");
    container.signal("SIGTERM");
    const { code, lines } = await container.ended();
    assertEquals(code, 0, lines.join("\n"));
    assert(lines.some((line) => line.endsWith("INFO all processes have ended")), lines.join("\n"));
    assert(lines.some((line) => line.includes("other users can write to the messages directory")), lines.join("\n"));
  },
});

Deno.test("alive.js reports whether a heartbeat file is recent enough", async () => {
  using dir = tempDir();
  const alive = (seconds: string) =>
    run(["deno", "run", "--no-config", "-R", join(DEPLOY, "alive.js"), dir.file("heart"), seconds]);
  assertEquals((await alive("60")).code, 1);
  dir.write("heart", "");
  assertEquals((await alive("60")).code, 0);
  Deno.utimeSync(dir.file("heart"), new Date(Date.now() - 61_000), new Date(Date.now() - 61_000));
  assertEquals((await alive("60")).code, 1);
});

Deno.test("the image's reaper has the permissions of the table, and its monitor has all, to find leftover processes", () => {
  const [reaper, monitor] = words("ENTRYPOINT").join(" ").split(" -- ");
  for (const flag of PERMISSIONS.reaper) assert(` ${reaper} `.includes(` ${flag} `), flag);
  assertEquals(monitor!.split(" ").filter((word) => word.startsWith("--allow")), ["--allow-all"]);
  assert(monitor!.includes(` ${V8_FLAGS} `));
});

Deno.test("the Kubernetes manifest describes a pod with least privileges, and its probe is the image's health check", () => {
  for (const [name, source] of Object.entries<string>(configMap.data)) parseSpec(name, source);
  const [container] = pod.containers;
  assertEquals([configMap.kind, deployment.kind, deployment.spec.replicas], ["ConfigMap", "Deployment", 1]);
  assertEquals(deployment.spec.selector.matchLabels, deployment.spec.template.metadata.labels);
  assertEquals([pod.securityContext.runAsNonRoot, pod.securityContext.runAsUser], [true, 65532]);
  assertEquals([container.securityContext.readOnlyRootFilesystem, container.securityContext.capabilities.drop], [true, [
    "ALL",
  ]]);
  assertEquals(container.livenessProbe.exec.command, words("HEALTHCHECK"));
  assertEquals(
    container.volumeMounts.map(({ name }: { name: string }) => name),
    pod.volumes.map(({ name }: { name: string }) => name),
  );
  assertEquals(pod.volumes[0].configMap.name, configMap.metadata.name);
  assertLess(30, pod.terminationGracePeriodSeconds, "longer than the reaper's --kill-after");
});

Deno.test({
  name: "systemd accepts the unit, whose command has all permissions (skipped without systemd)",
  ignore: !hasCommand("systemd-analyze"),
  fn: async () => {
    using dir = tempDir();
    const unit = Deno.readTextFileSync(join(DEPLOY, "ncolony.service"));
    const path = dir.write("ncolony.service", unit.replaceAll("/usr/local/bin/deno", Deno.execPath()));
    const { code, stdout, stderr } = await run(["systemd-analyze", "verify", path]);
    assertEquals([code, stdout, stderr], [0, "", ""]);
    assertEquals([...unit.matchAll(/--allow-\S+/g)].map(([flag]) => flag), ["--allow-all"]);
    assert(unit.includes(` ${V8_FLAGS} `));
  },
});
