import { UsageError } from "@ncolony/core";
import { assertEquals, assertThrows } from "@std/assert";
import { type Options, parseOptions } from "../../reaper/options.ts";

const DEFAULTS: Options = { args: ["run"], grace: 5, killAfter: 30, group: false, exitCodes: new Map() };

const GOOD: readonly (readonly [words: readonly string[], options: Partial<Options>])[] = [
  [["run"], {}],
  [["--", "run"], {}],
  [["--grace", "0.5", "run"], { grace: 0.5 }],
  [["--grace=0", "--", "run"], { grace: 0 }],
  [["--grace", "1", "--grace", "2", "run"], { grace: 2 }],
  [["--kill-after", "7", "run"], { killAfter: 7 }],
  [["--kill-after=1e9", "run"], { killAfter: 1e9 }],
  [["--group", "run"], { group: true }],
  [["--group", "--grace", "1", "--kill-after", "2", "--", "run", "now"], {
    args: ["run", "now"],
    grace: 1,
    killAfter: 2,
    group: true,
  }],
  [["--exit-code", "143=0", "--exit-code=3=255", "run"], { exitCodes: new Map([[143, 0], [3, 255]]) }],
  // Options end at the first word that is not an option.
  [["run", "--grace", "1"], { args: ["run", "--grace", "1"] }],
  [["run", "--help", "--nonsense", "-x"], { args: ["run", "--help", "--nonsense", "-x"] }],
  [["run", "--", "on"], { args: ["run", "--", "on"] }],
  [["--grace", "1", "run", "--grace", "2"], { args: ["run", "--grace", "2"], grace: 1 }],
  [["--", "--group"], { args: ["--group"] }],
  [["--", "--", "run"], { args: ["--", "run"] }],
  [["--", "run", "", " "], { args: ["run", "", " "] }],
];

for (const [words, options] of GOOD) {
  Deno.test(`parseOptions() accepts ${words.join(" ")}`, () => {
    const parsed = parseOptions(words);
    assertEquals([parsed.options, [...parsed.flags]], [
      { ...DEFAULTS, ...options },
      options.group === true ? ["group"] : [],
    ]);
  });
}

const BAD: readonly (readonly [words: readonly string[], message: string])[] = [
  [[], "CMD is missing"],
  [["--"], "CMD is missing"],
  [["--group"], "CMD is missing"],
  [["--grace", "1", "--"], "CMD is missing"],
  [["", "on"], "CMD is missing"],
  [["--", ""], "CMD is missing"],
  ...["143", "143=", "=0", "256=0", "0=256", "1=2=3", "-1=0", "a=b"].map((text) => {
    return [
      ["--exit-code", text, "run"],
      `--exit-code must be N=M, each from 0 to 255: got ${JSON.stringify(text)}`,
    ] as const;
  }),
  [["--grace"], "--grace needs a value: SECONDS"],
  [["--kill-after"], "--kill-after needs a value: SECONDS"],
  [["--grace", "run", "on"], '--grace must be a number of seconds from 0 to 1000000000: got "run"'],
  [["--grace=", "run"], '--grace must be a number of seconds from 0 to 1000000000: got ""'],
  [["--grace=-1", "run"], '--grace must be a number of seconds from 0 to 1000000000: got "-1"'],
  [["--grace", "-1", "run"], '--grace must be a number of seconds from 0 to 1000000000: got "-1"'],
  [["--grace", "Infinity", "run"], '--grace must be a number of seconds from 0 to 1000000000: got "Infinity"'],
  [["--kill-after", "1e10", "run"], '--kill-after must be a number of seconds from 0 to 1000000000: got "1e10"'],
  [["--kill-after", "NaN", "run"], '--kill-after must be a number of seconds from 0 to 1000000000: got "NaN"'],
  [["--group=yes", "run"], "--group takes no value"],
  [["--nonsense", "run"], "unknown option --nonsense"],
  [["-x", "run"], "unknown option -x"],
  [["--log-level", "info", "run"], "unknown option --log-level"],
];

for (const [words, message] of BAD) {
  Deno.test(`parseOptions() rejects ${JSON.stringify(words)}: ${message}`, () => {
    const error = assertThrows(() => parseOptions(words), UsageError);
    assertEquals(error.message, message);
  });
}

Deno.test("parseOptions() requires nothing else if --help or --version comes before the command", () => {
  for (const [word, flag] of [["--help", "help"], ["-h", "help"], ["--version", "version"]] as const) {
    for (const words of [[word], [word, "run"], ["--grace", "1", word, "--", "run"]]) {
      const { options, flags } = parseOptions(words);
      assertEquals([options, [...flags]], [null, [flag]]);
    }
  }
});
