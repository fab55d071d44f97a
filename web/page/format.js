/** How things are written on the page. What comes from elsewhere is shown as text that cannot act. */

const PLAIN = /^[ -~]*$/;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const LONE = /[\ud800-\udfff]/gu;

/** Makes a text safe to show on one line, as ctl does: what acts, or cannot be seen, becomes an escape. Tabs stay. */
export function visible(text) {
  if (PLAIN.test(text)) return text;
  return text.replace(HIDDEN, (it) => it === "\t" ? it : escaped(it)).replace(LONE, escaped);
}

function escaped(character) {
  const code = character.codePointAt(0);
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

const UNITS = [["d", 86_400], ["h", 3600], ["m", 60], ["s", 1]];

/** Formats a span of time in its two largest units: `3d 4h`, `32 s`. */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const first = UNITS.findIndex(([, unit]) => seconds >= unit);
  const [[large, largeSeconds], [small, smallSeconds]] = [UNITS[first], UNITS[first + 1]];
  const rest = Math.floor(seconds % largeSeconds / smallSeconds);
  return `${Math.floor(seconds / largeSeconds)}${large}${rest === 0 ? "" : ` ${rest}${small}`}`;
}

/** Formats a time of the server in the time zone of the browser. Empty if it is no time. */
export function localTime(time) {
  const date = new Date(String(time).replace(" ", "T"));
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleString();
}

/** Names the host of a colony. */
export function hostOf({ host }) {
  return host ?? location.hostname;
}

/** Formats a number of bytes: `12.3 MiB`. */
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [count, 0];
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Formats a time of the server the way logs do: `2026-01-31 03:00:40Z`. */
export function utc(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}

/** Returns one word for how a process last ended. */
export function exitWord(exit) {
  switch (exit?.type) {
    case "code":
      return `${exit.code}`;
    case "signal":
      return exit.signal;
    case "failed":
      return "no start";
    case undefined:
      return "";
    default:
      return "unknown";
  }
}

const AT_REST = ["disabled", "invalid", "stopped", "removed"];

const GLYPHS = {
  running: ["●", "good"],
  waiting: ["◌", "busy"],
  stopping: ["◐", "busy"],
  killing: ["◐", "bad"],
  disabled: ["○", "quiet"],
  stopped: ["○", "quiet"],
  removed: ["○", "quiet"],
  done: ["○", "quiet"],
  failed: ["✗", "bad"],
  invalid: ["✗", "bad"],
  unknown: ["?", "bad"],
};

/** Returns the state of a process as it is shown, with a glyph and a tone. It is unknown if nobody watches it. */
export function stateOf(colony, process) {
  const isUnknown = colony.monitor.alive === false && !AT_REST.includes(process.state);
  const state = isUnknown ? "unknown" : String(process.state);
  const [glyph, tone] = GLYPHS[state] ?? ["?", "busy"];
  return { state, glyph, tone, isUp: state === "running" };
}

/** Returns the health of a process in one word, with a tone. */
export function healthOf({ health }) {
  const found = Object.values(health ?? {}).map((check) => check?.healthy);
  if (found.includes(false)) return ["unhealthy", "bad"];
  if (found.includes(null)) return ["unknown", "quiet"];
  return found.length === 0 ? ["", ""] : ["healthy", "good"];
}

/** Tells what is wrong with a process now. `now` is the time of the server. */
export function faultOf({ fault, next_start, kill_at, problem, state }, now) {
  if (fault === null || fault === undefined) {
    return state === "stopping" && kill_at ? `SIGKILL in ${span(Date.parse(kill_at) - now)}` : problem?.message ?? "";
  }
  if (!next_start) return fault;
  return fault.replace(/^waits (?!for )[^(]*\(/, `waits ${span(Date.parse(next_start) - now)} (`);
}
