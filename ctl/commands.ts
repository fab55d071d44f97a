import type { Grammar } from "./complete.ts";
import { COLONY_OPTION, COMMON_OPTIONS, type Option, optionsHelp, type ParsedArgs } from "@ncolony/host/tool";

/** The options that every command takes. */
export const PLACES: readonly Option[] = [
  COLONY_OPTION,
  { name: "messages", value: "DIR", help: "the messages directory; required without --colony" },
  { name: "config", value: "DIR", help: "the config directory; required without --colony" },
  { name: "status", value: "DIR", help: "the status directory" },
  { name: "logs", value: "DIR", help: "the directory of log files" },
  { name: "name", value: "NAME", help: "another way to give NAME; for check, that of a FILE" },
];

const FORCE: Option = { name: "force", help: "ask for it even if there is no such process" };

const WAIT: readonly Option[] = [
  { name: "wait", help: "wait until it is done, and exit with 3 if it fails" },
  { name: "timeout", value: "SECONDS", help: "how long to wait [30, and for health checks]" },
];

const ROLLING: Option = { name: "rolling", value: "N", help: "N at a time, and none after a failure; waits" };

const JSON_OPTION: Option = { name: "json", help: "print a JSON document" };

/** A command of ctl. */
export interface Command {
  /** Its name and its words. */
  readonly usage: string;
  /** What it does. */
  readonly help: string;
  /** The options that only some commands take. */
  readonly options: readonly Option[];
  /** Loads it. `run` carries out a command line, and returns the exit code. It may need to know all commands. */
  readonly load: () => Promise<{ run(args: ParsedArgs, grammar: Grammar): number | Promise<number> }>;
}

/** All commands, by their names. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  add: {
    usage: "add NAME --cmd CMD [options]",
    help: "add a process, or change one",
    options: [
      { name: "cmd", value: "CMD", help: "the command; required" },
      { name: "arg", value: "ARG", help: "an argument, may begin with -; repeatable" },
      { name: "env", value: "NAME=VALUE", help: "an environment variable; repeatable" },
      { name: "env-inherit", value: "NAME", help: "inherit a variable from the monitor; repeatable" },
      { name: "uid", value: "UID", help: "the user id to run as" },
      { name: "gid", value: "GID", help: "the group id to run as" },
      { name: "extras", value: "JSON", help: "more keys: a JSON object, or a file with one" },
      ...WAIT,
    ],
    load: () => import("./commands/add.ts"),
  },
  remove: {
    usage: "remove NAME…",
    help: "stop processes for good",
    options: WAIT,
    load: () => import("./commands/remove.ts"),
  },
  stop: {
    usage: "stop NAME…",
    help: "stop processes, and keep their configs",
    options: WAIT,
    load: () => import("./commands/stop.ts"),
  },
  start: {
    usage: "start NAME…",
    help: "start processes that were stopped",
    options: WAIT,
    load: () => import("./commands/start.ts"),
  },
  restart: {
    usage: "restart NAME…",
    help: "restart processes",
    options: [FORCE, ROLLING, ...WAIT],
    load: () => import("./commands/restart.ts"),
  },
  "restart-all": {
    usage: "restart-all",
    help: "restart every process",
    options: [ROLLING, ...WAIT],
    load: () => import("./commands/restart_all.ts"),
  },
  "restart-group": {
    usage: "restart-group GROUP",
    help: "restart every process of a group",
    options: [FORCE, ROLLING, ...WAIT],
    load: () => import("./commands/restart_group.ts"),
  },
  patch: {
    usage: "patch NAME JSON",
    help: "change keys of a config (RFC 7396)",
    options: WAIT,
    load: () => import("./commands/patch.ts"),
  },
  check: {
    usage: "check [DIR|FILE…] [options]",
    help: "find problems in configs, before the monitor does",
    options: [
      { name: "here", help: "also check that this machine has what they name" },
      { name: "strict", help: "exit with 3 also for warnings" },
      JSON_OPTION,
    ],
    load: () => import("./commands/check.ts"),
  },
  plan: {
    usage: "plan DIR [options]",
    help: "tell what would happen if DIR became the config directory",
    options: [
      { name: "from", value: "DIR", help: "compare with DIR instead of --config" },
      JSON_OPTION,
    ],
    load: () => import("./commands/plan.ts"),
  },
  status: {
    usage: "status [NAME…] [options]",
    help: "show the status of processes",
    options: [
      { name: "group", value: "GROUP", help: "only the processes of a group" },
      { name: "wide", help: "also show usage, and removed processes" },
      { name: "watch", help: "show it again when something changes" },
      JSON_OPTION,
    ],
    load: () => import("./commands/status.ts"),
  },
  why: {
    usage: "why NAME",
    help: "explain what happened to a process",
    options: [JSON_OPTION],
    load: () => import("./commands/why.ts"),
  },
  events: {
    usage: "events [NAME…] [options]",
    help: "show how processes stand, and what happens to them",
    options: [
      { name: "lines", short: "n", value: "N", help: "the last N recorded events [50, or 0 with -f]" },
      { name: "follow", short: "f", help: "go on with what happens, also to new processes" },
      { name: "json", help: "print a JSON object a line" },
    ],
    load: () => import("./commands/events.ts"),
  },
  metrics: {
    usage: "metrics [options]",
    help: "print metrics for Prometheus",
    options: [
      { name: "openmetrics", help: "print them as OpenMetrics 1.0, not as text format 0.0.4" },
      { name: "output", value: "FILE", help: "replace FILE, which every user may then read" },
    ],
    load: () => import("./commands/metrics.ts"),
  },
  logs: {
    usage: "logs [NAME…] [options]",
    help: "show what processes wrote",
    options: [
      { name: "lines", short: "n", value: "N", help: "the last N lines of each process [50]" },
      { name: "follow", short: "f", help: "go on, also over rotation, and with new processes" },
      { name: "since", value: "TIME", help: "from a time on, or 10m, 2h, 1d ago; needs --log-time" },
      { name: "stream", value: "out|err", help: "what was written to stdout or stderr; needs --log-time" },
      { name: "run", value: "N|last", help: "what one start wrote; needs --log-time" },
      { name: "grep", value: "RE", help: "the lines that match a regular expression" },
    ],
    load: () => import("./commands/logs.ts"),
  },
  completions: {
    usage: "completions SHELL",
    help: "print a script that completes command lines: bash or zsh",
    options: [],
    load: () => import("./commands/completions.ts"),
  },
};

/** All options, each once. */
export const OPTIONS: readonly Option[] = [
  ...PLACES,
  ...new Map(Object.values(COMMANDS).flatMap(({ options }) => options.map((option) => [option.name, option]))).values(),
  ...COMMON_OPTIONS,
];

const list = Object.values(COMMANDS).map(({ usage, help }) => `  ${usage.padEnd(30)} ${help}`).join("\n");

/** The text of `--help`. */
export const HELP = `ncolony-ctl: change the processes of a colony, and show their status.

Usage: ncolony-ctl --colony DIR COMMAND

Commands:
${list}

Options of every command (COMMAND --help shows the others):
${optionsHelp([...PLACES, ...COMMON_OPTIONS])}

Exit codes: 0 as asked, 1 an error, 2 a wrong command line, 3 a process is not
well, 4 no such process, no monitor or no status.`;

/** Returns the text of `COMMAND --help`. Without a command that is known, that of all. */
export function helpOf(command: string | undefined): string {
  if (command === undefined || !Object.hasOwn(COMMANDS, command)) return HELP;
  const { usage, help, options } = COMMANDS[command]!;
  return `ncolony-ctl ${command}: ${help}.

Usage: ncolony-ctl --colony DIR ${usage}

${optionsHelp([...options, ...PLACES, ...COMMON_OPTIONS])}`;
}
