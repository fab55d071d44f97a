import { assertEquals, assertMatch } from "@std/assert";
import { hasCommand, run, sh, toolCommand } from "./tools.ts";

const SCHEDULER = [
  ...toolCommand("scheduler/mod.ts", ["--allow-run"]),
  ...["--cron", "0 7 * * *", "--timeout", "1", "--grace", "1", "--arg", "true"],
];

/** The zone in which 7 o'clock is planned, as date(1) shows it then; or the complaint. */
async function zoneBy(tz: string): Promise<{ code: number; planned: string; dated: string; stderr: string }> {
  const { code, stdout, stderr } = await run(["env", `TZ=${tz}`, ...SCHEDULER, "--next", "1"]);
  const [, day] = /^(\S+) 07:00:00 GMT/.exec(stdout) ?? [];
  // What date(1) makes of it is the C library's zone.
  const { stdout: dated } = await run(["env", `TZ=${tz}`, "date", "-d", `${day} 07:00:00`, "+%z"]);
  return { code, planned: stdout.trim().replace(/^.* GMT/, ""), dated: dated.trim(), stderr };
}

Deno.test({
  name: "a plan is in the zone that the C library takes TZ for, or that is an error",
  ignore: !hasCommand("date"),
  fn: async () => {
    for (const tz of ["", "UTC", "Asia/Tokyo", ":Asia/Tokyo", "/usr/share/zoneinfo/Asia/Tokyo", "JST-9", "GMT+3"]) {
      const { code, planned, dated, stderr } = await zoneBy(tz);
      assertEquals([code, stderr], [0, ""], tz);
      const hours = planned === "" ? "+0000" : planned.replace("\u2212", "-").replace(":", "");
      assertEquals([tz, hours], [tz, dated]);
    }
    for (const tz of ["CET-1CEST,M3.5.0,M10.5.0/3", "Mars/Base", "/nowhere/zone"]) {
      const { code, stderr } = await zoneBy(tz);
      assertEquals(code, 2);
      assertMatch(
        stderr,
        new RegExp(`^ncolony-scheduler: TZ=${RegExp.escape(tz)} is no zone that is known: give --timezone`),
      );
    }
  },
});

Deno.test("the first line says the zone, where it is from, and the next time", async () => {
  const first = async (...words: string[]) => {
    const { stderr } = await run([
      ...sh('TZ=JST-9; export TZ; timeout -s TERM 2 "$@"; true'),
      "sh",
      ...SCHEDULER,
      ...words,
    ]);
    return stderr.split("\n").find((line) => line.includes(" runs "))!;
  };
  assertMatch(await first(), / runs true at 0 7 \* \* \* in \+09:00 \(TZ\), next at \S+ 07:00:00 GMT\+09:00$/);
  const given = await first("--timezone", "Europe/Berlin");
  assertMatch(given, / runs true at 0 7 \* \* \* in Europe\/Berlin, next at \S+ 07:00:00 GMT\+0[12]:00$/);
});
