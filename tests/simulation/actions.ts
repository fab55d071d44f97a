import type { Script } from "../monitor/fake_children.ts";
import type { Random } from "../core/random.ts";

/** The processes of a simulated colony. */
export const NAMES = ["web", "db", "mail"] as const;

/** The kill scopes of a config. */
const SCOPES = ["process", "group", "session", "cgroup", "all"] as const;

/** How a text is written into a directory. */
export type Way = "rename" | "in place" | "half, then whole" | "vim" | "sed -i";

/** One action on a simulated machine. It is data, so that a history can be printed, repeated and shortened. */
export type Action =
  | { readonly do: "config"; readonly name: string; readonly text: string; readonly way: Way }
  | { readonly do: "remove" | "plant"; readonly name: string }
  | { readonly do: "mail"; readonly text: string; readonly way: "rename" | "in place" | "half, then whole" }
  | { readonly do: "vanish" | "return" | "unmount" | "remount" | "empty" | "rescan" | "kill the monitor" }
  | { readonly do: "silent watch" | "no watch" | "irremovable mail" | "full disk"; readonly is: boolean }
  | { readonly do: "script"; readonly name: string; readonly script: Script }
  | { readonly do: "end" | "stuck in the end"; readonly name: string }
  | { readonly do: "wall clock"; readonly byMs: number }
  | { readonly do: "slow disk"; readonly costMs: number }
  | { readonly do: "calm"; readonly then: "bad edit" | "unmount" | "vanish"; readonly name: string }
  | { readonly do: "race"; readonly afterCalls: number; readonly action: Action }
  | { readonly do: "time"; readonly passMs: number };

/** Creates a random history. */
export function drawHistory(random: Random): Action[] {
  return Array.from({ length: 5 + random.below(30) }, () => drawAction(random));
}

function drawAction(random: Random): Action {
  const name = random.pick(NAMES);
  const roll = random.below(100);
  if (roll < 30) return { do: "time", passMs: drawTime(random) };
  if (roll < 52) return { do: "config", name, text: drawConfig(random), way: drawWay(random) };
  if (roll < 56) return { do: "remove", name };
  if (roll < 58) return { do: "plant", name };
  if (roll < 68) {
    return { do: "mail", text: drawMail(random), way: random.pick(["rename", "in place", "half, then whole"]) };
  }
  if (roll < 73) return { do: random.pick(["vanish", "return", "unmount", "remount", "empty", "rescan", "return"]) };
  if (roll < 77) return { do: "kill the monitor" };
  if (roll < 81) {
    return { do: random.pick(["silent watch", "no watch", "irremovable mail", "full disk"]), is: random.chance(0.5) };
  }
  if (roll < 88) return { do: "script", name, script: drawScript(random) };
  if (roll < 93) return { do: "end", name };
  if (roll < 94 && random.chance(0.3)) return { do: "stuck in the end", name };
  if (roll < 94) return { do: "wall clock", byMs: random.pick([86_400_000, -86_400_000, 1000]) };
  if (roll < 95) return { do: "slow disk", costMs: random.pick([0, 0.5, 3]) };
  if (roll < 97) return { do: "calm", then: random.pick(["bad edit", "unmount", "vanish"]), name };
  return { do: "race", afterCalls: random.below(12), action: drawInstant(random) };
}

/** Creates a random action that takes no time. */
function drawInstant(random: Random): Action {
  const action = drawAction(random);
  if (action.do === "time" || action.do === "race" || action.do === "calm") return drawInstant(random);
  return "way" in action ? { ...action, way: "rename" } : action;
}

function drawTime(random: Random): number {
  return random.pick([0, 1, 50, 99, 100, 101, 500, 1000, 1500, 3000, 5000, 12_000]) *
    (random.chance(0.8) ? 1 : random.next());
}

function drawConfig(random: Random): string {
  const good = { args: [`command-${random.below(4)}`], group: [random.pick(["a", "b"])] };
  const roll = random.below(10);
  if (roll < 6) return JSON.stringify(good);
  if (roll < 7) return JSON.stringify({ ...good, "ncolony.monitor": { enabled: false } });
  if (roll < 8) return JSON.stringify({ ...good, "ncolony.monitor": { kill_time: random.pick([0, 2, 20]) } });
  if (roll < 9) return JSON.stringify({ ...good, "ncolony.monitor": { kill_scope: random.pick(SCOPES) } });
  if (random.chance(0.2)) return JSON.stringify({ ...good, "ncolony.monitor": { limits: { pids: 10 } } });
  return random.pick(["", "{", "[]", "null", '{"args": 3}', '{"args": ["x"], "uid": -1}', "\ufeff{}"]);
}

function drawWay(random: Random): Way {
  return random.pick(["rename", "rename", "in place", "half, then whole", "vim", "sed -i"]);
}

function drawMail(random: Random): string {
  return random.pick([
    `{"type": "RESTART", "name": "${random.pick(NAMES)}"}`,
    `{"type": "restart", "value": "${random.pick(NAMES)}"}`,
    '{"type": "RESTART-ALL"}',
    '{"type": "RESTART-GROUP", "group": "a"}',
    '{"type": "RESTART", "name": "nobody"}',
    '{"type": "RESTART", "name": "../web"}',
    '{"type": "EXPLODE"}',
    "{",
  ]);
}

function drawScript(random: Random): Script {
  return random.pick<Script>([
    {},
    { livesMs: 0, exit: { type: "code", code: 1 } },
    { livesMs: 300, exit: { type: "signal", signal: "SIGSEGV" } },
    { livesMs: 1500 },
    { cannotStart: "no such command" },
    { endsInMs: Infinity },
    { endsInMs: 700 },
    { refuses: true },
    { leaves: "mild" },
    { leaves: "stubborn", livesMs: 1200 },
    { leaves: "stubborn" },
    { leaves: "stuck" },
    { leaves: "stuck", livesMs: 900 },
    { isStuck: true },
    { livesMs: 400, leaves: "mild" },
    { escapes: "mild" },
    { escapes: "stubborn", livesMs: 1200 },
    { escapes: "stuck", leaves: "mild" },
    { escapes: "mild", leaves: "stubborn", livesMs: 700 },
  ]);
}
