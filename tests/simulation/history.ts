import { parseSpec, type Spec } from "@ncolony/core";
import { Random } from "../core/random.ts";
import { type Action, drawHistory, NAMES } from "./actions.ts";
import { Machine, OPTIONS } from "./machine.ts";

/** Long enough for every delay, kill time and full scan to be over. */
const CALM_MS = 60_000;

/** Returns the history of a seed. */
export function historyOf(seed: number): Action[] {
  return drawHistory(new Random(seed));
}

/**
 * Performs a history on a machine, then repairs the machine and stops the monitor.
 *
 * @returns The first broken promise, or null.
 */
export async function play(history: readonly Action[]): Promise<string | null> {
  const machine = new Machine();
  try {
    await machine.advance(0);
    for (const action of history) await machine.perform(action);
    if (machine.broken !== null) return machine.broken;
    await heal(machine);
    return checkCalm(machine) ?? await checkEnd(machine);
  } catch (error) {
    return `nothing is thrown: ${error instanceof Error ? error.stack : error}`;
  }
}

/** Removes every fault, and waits for long enough. */
async function heal(machine: Machine): Promise<void> {
  const { children, config, messages, pids, watches } = machine.host;
  config.onCall = () => {};
  config.costMs = 0;
  messages.irremovable = null;
  pids.writeFault = null;
  watches.fault = null;
  watches.isSilent = false;
  machine.bringBack();
  for (const name of NAMES) children.script(name, {});
  for (const child of children.started) child.release();
  // An empty directory that replaced another one is ignored, so the directory must not be empty in the end.
  config.post("last", '{"args": ["last"]}');
  await machine.advance(CALM_MS);
  // By now, processes that ignore the stop signal or crash have been replaced, or keep running.
}

function checkCalm(machine: Machine): string | null {
  const { children, config, messages, clock } = machine.host;
  if (children.overlaps > 0) return "never two live copies of a name";
  if (machine.exitCode !== null) return `the monitor never ends by itself: it ended with ${machine.exitCode}`;
  if (machine.host.log.count("internal error") > 0) return "no error is unforeseen";
  const texts = config.texts();
  for (const name of new Set([...config.names, ...children.started.map(({ spec }) => spec.name)])) {
    const wanted = config.names.includes(name) ? specOf(name, texts[name] ?? "") : "none";
    const running = children.started.filter((child) => child.spec.name === name && !child.isEmptied).map(({ spec }) =>
      spec
    );
    const names = JSON.stringify(name);
    if (wanted === "none" && running.length > 0) return `nothing unwanted is alive: ${names}`;
    if (wanted === "unclear" || wanted === "none") continue;
    if (running.length === 0) return `what is wanted runs: ${names}`;
    if (running[0].source !== wanted.source) return `what runs is what is wanted: ${names}`;
  }
  const left = messages.names.filter((name) => !name.startsWith("."));
  if (left.length > 0) return `no message is left: ${left}`;
  return checkMail(machine) ?? checkWork(machine, clock.now());
}

/** Returns what a config asks for in the end; `unclear` if it is not used and the last valid one stays in force. */
function specOf(name: string, text: string): Spec | "none" | "unclear" {
  try {
    const spec = parseSpec(name, text);
    if (spec.enabled && Object.keys(spec.limits).length > 0) return "unclear";
    return spec.enabled ? spec : "none";
  } catch {
    return "unclear";
  }
}

function checkMail(machine: Machine): string | null {
  const lives = [...machine.lives, machine.host.log.take()];
  for (const { file, text } of machine.mail.filter(({ isTorn }) => !isTorn)) {
    const acts = lives.map((lines) => lines.filter((line) => line.includes(`message "${file}": `)).length);
    if (acts.some((count) => count > 1)) return `every message is acted on once: ${file}`;
    const isGood = /RESTART|restart/.test(text);
    const isRejected = machine.host.messages.rejected.includes(file);
    if (isGood && acts.every((count) => count === 0)) return `no message is lost: ${file}`;
    if (isGood === isRejected) return `only what is wrong is put away: ${file}`;
  }
  return null;
}

/** Checks that the work is bounded by the number of actions and the time. */
function checkWork(machine: Machine, now: number): string | null {
  const { children, config, messages } = machine.host;
  const names = NAMES.length + 4;
  const occasions = 20 + now / (OPTIONS.frequency * 1000) + machine.actions * 10;
  const calls = config.callCount + messages.callCount;
  if (calls > occasions * names * 6) return `work is bounded: ${calls} looks at ${occasions} occasions`;
  const spawns = children.started.length;
  if (spawns > names * (now / 1000 + machine.actions)) return `restarts are bounded: ${spawns} in ${now} ms`;
  return null;
}

async function checkEnd(machine: Machine): Promise<string | null> {
  const { children, log, pids } = machine.host;
  const stuck = children.running().filter((name) => machine.stuckInTheEnd.has(name));
  for (const name of stuck) children.last(name).script = { isStuck: true };
  machine.stop();
  await machine.advance(CALM_MS);
  const exitCode = stuck.length === 0 ? 0 : 1;
  if (machine.exitCode !== exitCode) return `the monitor ends with ${exitCode}: exit code ${machine.exitCode}`;
  const left = children.running();
  if (`${left}` !== `${stuck}`) return `nothing is left behind but what does not end on SIGKILL: ${left}`;
  if (log.count("is left behind") !== stuck.length) return `what is left behind is named: ${stuck}`;
  const others = [...pids.files.keys()].filter((name) => !stuck.includes(name));
  if (others.length > 0) return `no other pid file is left: ${others}`;
  // The next monitor cannot find a process whose pid could not be written.
  if (stuck.length === 0 || !stuck.every((name) => pids.files.has(name))) return null;
  machine.start();
  await machine.advance(CALM_MS);
  return children.overlaps > 0 ? "never two live copies of a name, one of which was left behind" : null;
}

/** Returns the shortest history that still breaks a promise: no action of it can be left out. */
export async function shorten(history: readonly Action[]): Promise<readonly Action[]> {
  for (let size = Math.ceil(history.length / 2); size >= 1;) {
    let isShorter = false;
    for (let start = 0; start < history.length; start += size) {
      const rest = history.toSpliced(start, size);
      if (await play(rest) === null) continue;
      history = rest;
      isShorter = true;
      break;
    }
    if (!isShorter) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return history;
}

/** Describes a history that breaks a promise. */
export async function report(seed: number, broken: string): Promise<string> {
  const history = await shorten(historyOf(seed));
  const lines = history.map((action) => `  ${JSON.stringify(action)}`);
  return [
    `Seed ${seed} breaks a promise: ${broken}`,
    `The shortest history that breaks one (${await play(history)}):`,
    ...lines,
  ]
    .join("\n");
}
