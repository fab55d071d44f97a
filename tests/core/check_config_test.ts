/** Fifty configs that people really write, each with what a tired administrator reads about it. */

import { assert, assertEquals } from "@std/assert";
import { checkConfig, type Finding } from "@ncolony/core";

const beat = (section: object) => JSON.stringify({ args: ["x"], "ncolony.beatcheck": section });
const http = (section: object) =>
  JSON.stringify({
    args: ["x"],
    "ncolony.httpcheck": { url: "http://h/", period: 1, timeout: 1, grace: 1, maxBad: 1, ...section },
  });
const monitor = (section: unknown) => JSON.stringify({ args: ["x"], "ncolony.monitor": section });
const top = (keys: object) => JSON.stringify({ args: ["x"], ...keys });

const BY_SHELL = 'use ["/bin/sh", "-c", "…"]';

/** Texts of configs, and all that is found in them: `line:column level field: message`. */
const MISTAKES: readonly (readonly [source: string, ...found: readonly string[]])[] = [
  // The text.
  ["", "1:1 problem : invalid JSON: the file is empty"],
  ['{"args": ["x"],}', "1:16 problem : invalid JSON: there must be no comma before the }"],
  ['{\n  "args": ["x",\n  ]\n}', "3:3 problem : invalid JSON: there must be no comma before the ]"],
  ['// the web server\n{"args": ["x"]}', "1:1 problem : invalid JSON: JSON has no comments"],
  ['{"args": ["x"] /* the web server */}', "1:16 problem : invalid JSON: JSON has no comments"],
  ['{"args": ["x"] # the web server\n}', "1:16 problem : invalid JSON: JSON has no comments"],
  ['\ufeff{"args": ["x"]}', "1:1 problem : begins with a byte order mark, which is not JSON"],
  ['{\0"\0a\0', "1:2 problem : invalid JSON: a NUL character (is the file UTF-16? it must be UTF-8)"],
  ["{'args': ['x']}", "1:2 problem : invalid JSON: ' in place of \""],
  ["{“args”: [“x”]}", '1:2 problem : invalid JSON: typographic quotes in place of "'],
  ['{args: ["x"]}', '1:2 problem : invalid JSON: a key needs " around it'],
  ['{"args": [x]}', '1:11 problem : invalid JSON: a string needs " around it'],
  ['{"args": ["x"\n "y"]}', "2:2 problem : invalid JSON: a comma is missing"],
  ['{"args": ["x"]\n "uid": 1}', "2:2 problem : invalid JSON: a comma is missing"],
  ['{"args": ["x"]', "1:15 problem : invalid JSON: a } is missing at the end"],
  ['{"args": ["x"]}}', "1:16 problem : invalid JSON: something follows the last }"],
  ['{"args": ["x"], "uid": 0755}', "1:25 problem : invalid JSON: not a number in JSON"],
  ['{"args": ["x"], "env": {"A": "one\ntwo"}}', '1:30 problem : invalid JSON: a string must end with " on its line'],
  ['{"args": ["C:\\dir"]}', "1:11 problem : invalid JSON: a \\ in a string is written \\\\"],
  [
    monitor({ enabled: 1 }).replace("1}", "True}"),
    "1:44 problem : invalid JSON: the words of JSON are true, false and null",
  ],
  ["args:\n  - x\n", "1:1 problem : invalid JSON: the first character must be {"],
  ["[program:web]\ncommand=x\n", '1:2 problem : invalid JSON: a string needs " around it'],
  ['[{"args": ["x"]}]', "1:1 problem : must be a JSON object: got an array"],
  // The command.
  [
    '{"args": "x -f"}',
    "1:2 problem args: must be a non-empty array of strings that begins with a command: got a string",
  ],
  [
    '{"args": []}',
    "1:2 problem args: must be a non-empty array of strings that begins with a command: got an empty array",
  ],
  [
    '{"args": ["x", 80]}',
    "1:2 problem args: must be a non-empty array of strings that begins with a command: got an array with a number",
  ],
  [
    '{"command": "x"}',
    "1:1 problem args: must be a non-empty array of strings that begins with a command: got nothing",
    '1:2 warning command: is an extra, which NColony ignores: did you mean "args"?',
  ],
  [
    '{"arg": ["x"]}',
    "1:1 problem args: must be a non-empty array of strings that begins with a command: got nothing",
    '1:2 warning arg: is an extra, which NColony ignores: did you mean "args"?',
  ],
  [
    '{"args": ["httpd -f"]}',
    `1:2 warning args: is one word with spaces: give each word a string of its own, or ${BY_SHELL}`,
  ],
  ['{"args": ["a", "|", "b"]}', `1:2 warning args: has a word that only a shell understands: ${BY_SHELL}`],
  ['{"args": ["a", ">", "/tmp/b"]}', `1:2 warning args: has a word that only a shell understands: ${BY_SHELL}`],
  ['{"args": ["a", "$HOME/b"]}', `1:2 warning args: has a $ that only a shell replaces: ${BY_SHELL}`],
  ['{"args": ["~/bin/a"]}', "1:2 warning args: has a word that begins with ~, which nothing replaces"],
  // The environment and the user.
  [top({ env: { PORT: 8080 } }), "1:22 problem env.PORT: must be a string: got a number"],
  [top({ env: ["PORT=8080"] }), "1:15 problem env: must be an object: got an array"],
  [top({ env: { PATH: "$PATH:/opt/bin" } }), "1:22 warning env.PATH: has a $, which nothing replaces"],
  [top({ env: { HOME: "~" } }), "1:22 warning env.HOME: begins with ~, which nothing replaces"],
  [
    top({ env_inherit: "PATH" }),
    '1:15 problem env_inherit: must be an array of names of variables, not empty and without "=": got a string',
  ],
  [
    top({ environment: { A: "b" } }),
    '1:15 warning environment: is an extra, which NColony ignores: did you mean "env"?',
  ],
  [top({ uid: "1000" }), "1:15 problem uid: must be a number from 0 to 4294967294: got a string"],
  [top({ user: "app" }), '1:15 warning user: is an extra, which NColony ignores: did you mean "ncolony.monitor.user"?'],
  [
    top({ uid: 1, "ncolony.monitor": { user: "app" } }),
    '1:42 problem ncolony.monitor.user: cannot be used together with "uid"',
  ],
  // The monitor's section.
  [top({ cwd: "/srv" }), '1:15 warning cwd: is an extra, which NColony ignores: did you mean "ncolony.monitor.cwd"?'],
  [
    top({ "ncolony.monitor.cwd": "/srv" }),
    '1:15 warning ncolony.monitor.cwd: is an extra, which NColony ignores: did you mean "cwd" in "ncolony.monitor"?',
  ],
  [
    top({ ncolony: { monitor: { cwd: "/srv" } } }),
    '1:15 warning ncolony: is an extra, which NColony ignores: did you mean "ncolony.monitor"?',
  ],
  [
    top({ "ncolony.htpcheck": {} }),
    '1:15 warning ncolony.htpcheck: unknown key: did you mean "ncolony.httpcheck"?',
  ],
  [monitor({ cwd: "srv" }), "1:34 problem ncolony.monitor.cwd: must be an absolute path: got another string"],
  [
    monitor({ stop_signal: "TERM", kill_time: "5" }),
    "1:34 problem ncolony.monitor.stop_signal: must be one of SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGKILL, SIGUSR1, " +
    'SIGUSR2, SIGWINCH, SIGABRT, SIGALRM, SIGPWR: got another string; did you mean "SIGTERM"?',
    "1:55 problem ncolony.monitor.kill_time: must be a number from 0 to 1000000000: got a string",
  ],
  [monitor({ enabled: "no" }), "1:34 problem ncolony.monitor.enabled: must be true or false: got a string"],
  [
    monitor({ umask: 22 }),
    '1:34 problem ncolony.monitor.umask: must be a string of octal digits up to "0777", such as "0027": got a number',
  ],
  [
    monitor({ limits: { memory: "512MB" } }),
    '1:44 problem ncolony.monitor.limits.memory: must be a number of bytes from 262144 to 1125899906842624, such as "512M": got another string',
  ],
  // The checkers' sections.
  [
    beat({ period: "10", status: "/run/hearts" }),
    "1:15 problem ncolony.beatcheck.grace: is missing",
    "1:36 problem ncolony.beatcheck.period: must be a number from 0.01 to 1000000000: got a string",
  ],
  [http({ url: "localhost:8080" }), "1:36 problem ncolony.httpcheck.url: must begin with http:// or https://"],
  [
    http({ maxbad: 3 }),
    '1:98 problem ncolony.httpcheck.maxbad: unknown key: did you mean "maxBad"?',
  ],
];

function shown({ line, column, level, field, message }: Finding): string {
  const text = field === null
    ? message
    : message.replace(`${JSON.stringify(field)} `, "").replace(` ${JSON.stringify(field)}`, "");
  return `${line}:${column} ${level} ${field ?? ""}: ${text}`;
}

function check(source: string): Finding[] {
  return [...checkConfig("web", source, (_, known) => known.find((key) => key.includes("http")) ?? known[0]!).findings];
}

Deno.test(`checkConfig() finds what is wrong with ${MISTAKES.length} configs that people really write`, () => {
  for (const [source, ...found] of MISTAKES) assertEquals(check(source).map(shown), found, source);
  assert(MISTAKES.length >= 50);
});

Deno.test("checkConfig() finds nothing in configs that are as they were meant", () => {
  const good = [
    { args: ["sh", "-c", "cd ~ && exec httpd > $HOME/log | cat"] },
    { args: ["bash", "-lc", "echo $PATH"], env: { A: "5 $ and ~" } },
    { args: ["awk", "{print $1, $NF}"], comment: "the $HOME of all", name: "x", tags: ["a"], note: { user: "x" } },
    { args: ["/opt/my app/run", "a b"], $schema: "config.schema.json" },
    { args: ["/opt/My App/run"] },
    { args: ["find", "/x", "-exec", "rm", "{}", ";"] },
    { args: ["sudo", "bash", "-lc", "cd $HOME && run | cat"] },
    { args: ["perl", "-e", "print $ENV{PATH}"], "ncolony.monitor": { cwd: "/srv/~old" } },
    { args: ["x"], "ncolony.beatcheck": { period: 1, grace: 3, status: "/run/x" }, "ncolony.httpcheck": null },
  ];
  for (const config of good) assertEquals(check(JSON.stringify(config)), [], JSON.stringify(config));
  assertEquals(check('{"args": ["x"]}\r\n'), []);
});

Deno.test("checkConfig() shows no value, and calls a name invalid as the monitor does", () => {
  const secret = {
    args: ["hunter2 hunter2"],
    env: { A: "~/hunter2", B: ["hunter2"] },
    "ncolony.monitor": { cwd: "hunter2" },
  };
  const findings = check(JSON.stringify(secret));
  assertEquals([findings.length, JSON.stringify(findings).includes("hunter2")], [4, false]);
  const [named] = checkConfig("web~", '{"args": ["x"]', (_, [first]) => first!).findings;
  assertEquals([named?.level, named?.field, named?.line, named?.column], ["problem", null, 1, 1]);
});
