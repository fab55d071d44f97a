import { assertEquals, assertMatch } from "@std/assert";
import { hasCommand, run, sh, toolCommand } from "./tools.ts";

const SCHEDULER = [
  ...toolCommand("scheduler/mod.ts", ["--allow-run"]),
  ...["--cron", "0 7 * * *", "--timeout", "1", "--grace", "1", "--arg", "true"],
];

/** Returns the time zone offset of a plan for 7 o'clock, and the offset that date(1) shows for that time. */
async function zoneBy(tz: string): Promise<{ code: number; planned: string; dated: string; stderr: string }> {
  const { code, stdout, stderr } = await run(["env", `TZ=${tz}`, ...SCHEDULER, "--next", "1"]);
  const [, day] = /^(\S+) 07:00:00 GMT/.exec(stdout) ?? [];
  // date(1) uses the C library's time zone.
  const { stdout: dated } = await run(["env", `TZ=${tz}`, "date", "-d", `${day} 07:00:00`, "+%z"]);
  return { code, planned: stdout.trim().replace(/^.* GMT/, ""), dated: dated.trim(), stderr };
}

Deno.test({
  name: "the scheduler plans in the time zone that the C library takes TZ for, or rejects TZ",
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
        new RegExp(`^ncolony-scheduler: TZ=${RegExp.escape(tz)} is not a known time zone: use --timezone`),
      );
    }
  },
});

Deno.test("the scheduler's first line names the time zone, its source, and the next time", async () => {
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
