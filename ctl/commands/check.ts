import { checkConfig, type Finding, nameFault, quotedName, UsageError, visible, visibleJson } from "@ncolony/core";
import { configDirectory, type Directory, isDirectory, isGranted, missingHere } from "@ncolony/host/read-tool";
import { ExitError, lastValue, nearest, type ParsedArgs, printShown, requiredPlace } from "@ncolony/host/tool";
import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { NOT_WELL } from "../unknown.ts";

/** What was found in a file, or in a directory. */
interface Checked {
  readonly file: string;
  /** The name of the process. Null for a directory. */
  readonly name: string | null;
  readonly findings: readonly Finding[];
}

/**
 * Checks configs: `check [DIR|FILE…]`.
 *
 * @returns The exit code: 0 if there is no problem, 3 if there is one; with `--strict`, also for a warning.
 * @throws {ExitError} With 1 if a file or a directory cannot be read.
 */
export function run(words: ParsedArgs): number {
  const given = words.words.slice(1);
  const paths = given.length > 0 ? given : [requiredPlace(words, "config")];
  const name = lastValue(words, "name");
  if (name !== undefined && (paths.length > 1 || isDirectory(paths[0]!))) throw new UsageError("--name needs one FILE");
  const isHere = words.flags.has("here");
  // Without it, no owner can be judged.
  if (isHere && !isGranted({ name: "sys", kind: "uid" })) throw new ExitError("check --here needs --allow-sys=uid", 1);
  const checked = paths.flatMap((path) => isDirectory(path) ? checkAll(path, isHere) : checkOne(path, name, isHere));
  printShown(words.flags.has("json") ? toJson(checked) : toText(checked));
  const isStrict = words.flags.has("strict");
  return checked.some(({ findings }) => findings.some(({ level }) => isStrict || level === "problem")) ? NOT_WELL : 0;
}

/** Checks all configs in a directory, and with `--here` the directory itself. */
function checkAll(path: string, isHere: boolean): Checked[] {
  const directory = configDirectory(path, { allowInsecure: !isHere });
  const names = directory.names();
  if ("fault" in names) throw new ExitError(`Cannot read ${JSON.stringify(path)}: ${names.fault}`, 1);
  const files = names.sort().flatMap((name): Checked[] => {
    const fault = nameFault(name);
    if (fault === null) return [check(directory, join(path, name), name, isHere) ?? []].flat();
    const warning: Finding = { ...problem(`is not used: ${fault}`), level: "warning" };
    return [{ file: join(path, name), name: null, findings: [warning] }];
  });
  return [checkDirectory(directory, path), ...files];
}

/** Checks one file. @throws {ExitError} With 1 if there is none. */
function checkOne(path: string, name: string | undefined, isHere: boolean): Checked[] {
  const directory = configDirectory(dirname(path), { allowInsecure: !isHere });
  const checked = check(directory, path, name, isHere);
  if (checked === null) throw new ExitError(`There is no file ${JSON.stringify(path)}`, 1);
  return [checkDirectory(directory, dirname(path)), checked];
}

/** Checks whether other users can change a directory, if it is not to be trusted anyway. */
function checkDirectory(directory: Directory, path: string): Checked {
  const identity = directory.identity();
  return { file: path, name: null, findings: "fault" in identity ? [problem(identity.fault)] : [] };
}

/** Checks a file in a directory. Its name is that of the process, unless another one is given. Null if there is none. */
function check(directory: Directory, file: string, given: string | undefined, isHere: boolean): Checked | null {
  const entry = directory.read(basename(file))?.entry;
  if (entry === undefined) return null;
  const name = given ?? basename(file);
  if ("fault" in entry) return { file, name, findings: [problem(entry.fault)] };
  const closest = (word: string, known: readonly string[]) => nearest(word, known) ?? known[0]!;
  return { file, name, ...checkConfig(name, entry.source, closest, isHere ? missingHere : undefined) };
}

/** Returns what is wrong with a file or a directory, whatever is in it. */
function problem(message: string): Finding {
  return { level: "problem", field: null, line: 1, column: 1, message };
}

/** `conf/web:3:5: args: must be …`, a line for each finding, and how many there are. */
function toText(checked: readonly Checked[]): string {
  const lines = checked.flatMap(({ file, findings }) => findings.map((finding) => lineOf(file, finding)));
  const all = checked.flatMap(({ findings }) => findings);
  const problems = all.filter(({ level }) => level === "problem").length;
  const files = checked.filter(({ name }) => name !== null).length;
  const sum = [
    `${counted(files, "config")} checked`,
    counted(problems, "problem"),
    counted(all.length - problems, "warning"),
  ];
  return [...lines, sum.join(", ")].join("\n");
}

function lineOf(file: string, { level, field, line, column, message }: Finding): string {
  const what = [...level === "warning" ? [level] : [], ...field === null ? [] : [field], withoutKey(message, field)];
  return visible(`${file}:${line}:${column}: ${what.join(": ")}`);
}

/** Returns a message without the key that it names, because that stands before it. */
function withoutKey(text: string, field: string | null): string {
  if (field === null) return text;
  const key = quotedName(field);
  return text.startsWith(`${key} `) ? text.slice(key.length + 1) : text.replace(` ${key}`, "");
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function toJson(checked: readonly Checked[]): string {
  const findings = checked.flatMap(({ file, name, findings }) =>
    findings.map((finding) => ({ file, name, ...finding }))
  );
  return visibleJson(JSON.stringify({ version: 1, findings }));
}
