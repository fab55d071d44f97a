import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { ending, stateOf } from "../host/children.ts";
import { readRecipes, Site } from "./recipes.ts";
import { hasCommand, IS_ROOT, run } from "./tools.ts";

const RECIPES = readRecipes();

/** A web application for gunicorn. Its `/slow` takes a second. */
const APPLICATION = `mkdir /srv/app
cat > /srv/app/wsgi.py << 'END'
import time
def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow": time.sleep(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"old"]
END`;

/** A web server in Java, with a shutdown hook. */
const JAR = `mkdir /srv/app && cd /srv/app
cat > App.java << 'END'
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class App {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 8001), 0);
    server.createContext("/", exchange -> { exchange.sendResponseHeaders(204, -1); exchange.close(); });
    server.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("the hook ran")));
  }
}
END
javac App.java && jar --create --file app.jar --main-class App App*.class`;

const FRONTEND = `cat >> /etc/haproxy/haproxy.cfg << 'END'
frontend web
    bind 127.0.0.1:8080
    http-request return status 200 content-type text/plain string old
END`;

/** Makes a key for root's account, and has the server find it. */
const LOGIN = (key: string) =>
  `ssh-keygen -q -t ed25519 -N '' -f '${key}'
cat > /etc/ssh/sshd_config.d/test.conf << 'END'
AuthorizedKeysFile ${key}.pub
PermitRootLogin yes
StrictModes no
END`;

/** Returns whether namespaces can be made, and the server is installed. */
async function canRun(...commands: readonly string[]): Promise<boolean> {
  if (!IS_ROOT || !["unshare", "nsenter", "ip", "setpriv", "curl", ...commands].every(hasCommand)) return false;
  return (await run(["unshare", "--mount", "--net", "true"])).code === 0;
}

/** Registers the test of a recipe. */
async function recipeTest(
  name: string,
  commands: readonly string[],
  setup: (dir: string) => string,
  test: (site: Site) => Promise<void>,
): Promise<void> {
  Deno.test({
    name: `docs/recipes.md: ${name} runs, restarts and stops in order (skipped without root or ${name})`,
    ignore: !await canRun(...commands),
    fn: async () => {
      await using site = new Site(RECIPES.get(name)!, setup);
      await site.colony.started(name);
      await site.shows(site.recipe.check);
      await test(site);
      await site.stop();
    },
  });
}

/** Makes a server reload a changed configuration, and checks that its pid stays the same. */
async function reload(site: Site, change: string, check: string, output: string): Promise<void> {
  const [pid] = site.colony.pidsOf(site.recipe.name);
  assertEquals((await site.run(change)).code, 0);
  const { code, stderr } = await site.run(site.recipe.reload);
  assertEquals(code, 0, stderr);
  await site.shows(check, output);
  assertEquals([site.colony.pidsOf(site.recipe.name), isAlive(pid!)], [[pid], true]);
}

const AS_POSTGRES = "setpriv --reuid=postgres --regid=postgres --init-groups psql --no-align --tuples-only --command";

await recipeTest("postgresql", ["/usr/lib/postgresql/15/bin/postgres"], () => "true", async (site) => {
  const config = "/etc/postgresql/15/main/postgresql.conf";
  await reload(site, `echo "work_mem = '7MB'" >> ${config}`, `${AS_POSTGRES} 'show work_mem'`, "7MB\n");
  // An open connection does not keep it from exiting.
  const client = run(site.inside(`${AS_POSTGRES} 'select 1, pg_sleep(1000)'`));
  await site.shows(`${AS_POSTGRES} "select count(*) from pg_stat_activity where query like 'select 1,%'"`, "1\n");
  await site.restart();
  assert((await client).code !== 0);
});

await recipeTest("redis", ["redis-server"], () => "true", async (site) => {
  assertEquals((await site.run("redis-cli set kept yes")).code, 0);
  await site.restart();
  await site.shows("redis-cli get kept", "yes\n");
});

await recipeTest("nginx", ["nginx"], () => "true", async (site) => {
  const server = "server { listen 127.0.0.1:81; return 200 new; }";
  await reload(site, `echo '${server}' > /etc/nginx/conf.d/new.conf`, "curl -fsS http://127.0.0.1:81/", "new");
  await site.restart();
});

await recipeTest("sshd", ["/usr/sbin/sshd", "ssh"], (dir) => LOGIN(`${dir}/key`), async (site) => {
  const options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
  const [command, ...args] = site.inside(`ssh -i '${site.dir.path}/key' ${options} root@127.0.0.1 'echo in; exec cat'`);
  const login = new Deno.Command(command!, { args, stdin: "piped", stdout: "piped" }).spawn();
  const lines = login.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = login.stdin.getWriter();
  try {
    assertEquals((await lines.read()).value, "in\n");
    const change = "echo 'Port 22\nPort 2222' > /etc/ssh/sshd_config.d/ports.conf";
    await reload(site, change, "ssh-keyscan -p 2222 127.0.0.1 2>/dev/null | grep -c ed25519", "1\n");
    await site.restart();
    await writer.write(new TextEncoder().encode("still here\n"));
    assertEquals((await lines.read()).value, "still here\n");
  } finally {
    await writer.close();
    await lines.cancel();
    await login.status;
  }
});

/** Has cron run a job when it starts for the first time. */
const JOB = `mkdir /srv/job
echo '@reboot root echo $$ >> /srv/job/pids; exec sleep 1000' > /etc/cron.d/job`;

await recipeTest("cron", ["/usr/sbin/cron"], () => JOB, async (site) => {
  await site.shows("grep -c . /srv/job/pids", "1\n");
  const pid = Number((await site.run("cat /srv/job/pids")).stdout);
  using _job = ending(pid);
  await site.restart("SIGTERM");
  assertEquals(await stateOf(pid), "S", "the job goes on");
});

await recipeTest("haproxy", ["haproxy"], () => FRONTEND, async (site) => {
  const change = "sed -i 's/string old/string new/' /etc/haproxy/haproxy.cfg";
  await reload(site, change, site.recipe.check, "new");
  // Only then does the master, which has executed itself, handle signals.
  await site.colony.waitFor(/ Former worker .* exited/);
  await site.restart();
});

await recipeTest("gunicorn", ["gunicorn"], () => APPLICATION, async (site) => {
  await reload(site, "sed -i s/old/new/ /srv/app/wsgi.py", site.recipe.check, "new");
  const slow = site.run("curl -fsS http://127.0.0.1:8000/slow");
  await site.shows("ss -tnH state established sport = :8000 | grep -c .", "1\n");
  await site.restart();
  assertEquals((await slow).stdout, "new");
});

await recipeTest("java", ["java", "javac"], () => JAR, async (site) => {
  assertEquals((await site.run('kill -QUIT "$(cat pids/java)"')).code, 0);
  await site.colony.waitFor(/^\[java\] Full thread dump/);
  assertStringIncludes(await Deno.readTextFile("docs/recipes.md"), 'kill -QUIT "$(cat pids/java)"');
  await site.restart("exit code 143");
  await site.colony.waitFor(/^\[java\] the hook ran$/);
});

Deno.test("each recipe in docs/recipes.md has a test", () => {
  assertEquals([...RECIPES.keys()].sort(), [
    "cron",
    "gunicorn",
    "haproxy",
    "java",
    "nginx",
    "postgresql",
    "redis",
    "sshd",
  ]);
});
