import { assertEquals } from "@std/assert";
import { Colony } from "./harness.ts";

/** Variables of the monitor itself. */
const MONITOR_ENV = { NC_TOKEN: "the monitor's", NC_ODD: " a = b\nc", NC_SECRET: "not for children" };

const COPY = ["/bin/cp", "/proc/self/environ"];

/** Starts a monitor that runs each process once. */
function runOnce(): Colony {
  return new Colony({ args: ["-t", "1e6", "-m", "1e6", "-M", "1e6"], env: MONITOR_ENV });
}

/** Runs a process that copies its environment as the kernel has it. Returns that: `NAME=VALUE`, sorted. */
async function environmentOf(colony: Colony, name: string, config: string): Promise<string[]> {
  const file = colony.dir.file(`${name}.environ`);
  colony.put(name, config.replace("FILE", file));
  await colony.waitFor(new RegExp(`${name}: stopping -> waiting`));
  return Deno.readTextFileSync(file).split("\0").slice(0, -1).sort();
}

Deno.test("a process gets its env, its name and its config, and no variable of the monitor's environment", async () => {
  await using colony = runOnce();
  const env = { A: "1", EMPTY: "", ODD: ' "x"\n=y ', "é ü": "ö" };
  const config = JSON.stringify({ args: [...COPY, "FILE"], env });
  assertEquals(await environmentOf(colony, "web", config), [
    "A=1",
    "EMPTY=",
    `NCOLONY_CONFIG=${config.replace("FILE", colony.dir.file("web.environ"))}`,
    "NCOLONY_NAME=web",
    'ODD= "x"\n=y ',
    "é ü=ö",
  ]);
});

Deno.test("a process without env gets only its name and its config", async () => {
  await using colony = runOnce();
  const environment = await environmentOf(colony, "web", JSON.stringify({ args: [...COPY, "FILE"] }));
  assertEquals(environment.map((variable) => variable.split("=")[0]), ["NCOLONY_CONFIG", "NCOLONY_NAME"]);
});

Deno.test("env_inherit copies the monitor's variables over env, empty if the monitor does not have them", async () => {
  await using colony = runOnce();
  const config = JSON.stringify({
    args: [...COPY, "FILE"],
    env: { NC_TOKEN: "of env", NC_UNSET: "of env", NCOLONY_NAME: "of env", KEPT: "of env" },
    env_inherit: ["NC_TOKEN", "NC_ODD", "NC_UNSET", "NCOLONY_CONFIG"],
  });
  assertEquals(await environmentOf(colony, "web", config), [
    "KEPT=of env",
    `NCOLONY_CONFIG=${config.replace("FILE", colony.dir.file("web.environ"))}`,
    "NCOLONY_NAME=web",
    "NC_ODD= a = b\nc",
    "NC_TOKEN=the monitor's",
    "NC_UNSET=",
  ]);
});

Deno.test("NCOLONY_CONFIG is the file byte for byte, and NCOLONY_NAME is its name", async () => {
  await using colony = runOnce();
  const config = `\n{ "args" :["/bin/cp","/proc/self/environ", "FILE"],\t"é": "😀 \\u00e9",
  "env": {}, "extra": 1.0, "extra": 1.50e2 }\r\n \n`;
  const file = colony.dir.file("ä name.environ");
  assertEquals(await environmentOf(colony, "ä name", config), [
    `NCOLONY_CONFIG=${config.replace("FILE", file)}`,
    "NCOLONY_NAME=ä name",
  ]);
});

Deno.test("a config of the greatest size reaches its process", async () => {
  await using colony = runOnce();
  const config = `{"args": ["/bin/cp", "/proc/self/environ", "${colony.dir.file("web.environ")}"], "extra": ""}`;
  const full = config.replace('""', `"${"x".repeat(131_056 - config.length)}"`);
  assertEquals(await environmentOf(colony, "web", full), [`NCOLONY_CONFIG=${full}`, "NCOLONY_NAME=web"]);
});
