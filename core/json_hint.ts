import { scanJson } from "./json_scan.ts";

/**
 * Returns what people mostly did wrong where a text stops being JSON, as `: what`. It does not quote the text, which may
 * be a secret. Empty if the text is JSON, or there is nothing to say.
 */
export function jsonHint(source: string): string {
  const hint = hintOf(source);
  return hint === null ? "" : `: ${hint}`;
}

function hintOf(source: string): string | null {
  const { at, isWhole, wants, open } = scanJson(source);
  if (isWhole) return null;
  if (source.trim() === "") return "the file is empty";
  const [char, before] = [source.charAt(at), source.slice(0, at).trimEnd().at(-1)];
  if (char === "") return open === undefined ? null : `a ${open === "{" ? "}" : "]"} is missing at the end`;
  if (char === "\0") return "a NUL character (is the file UTF-16? it must be UTF-8)";
  if (char === "#" || /^\/[/*]/.test(source.slice(at, at + 2))) return "JSON has no comments";
  if (/[\u2018-\u201f]/.test(char)) return 'typographic quotes in place of "';
  if (/[\s\u200b-\u200f\u2060\ufeff]/u.test(char)) return "an invisible character that is not a space";
  if (wants === "end") return "something follows the last }";
  if (wants === ":") return "a : is missing";
  if ((char === "}" || char === "]") && before === ",") return `there must be no comma before the ${char}`;
  if (char === "}" || char === "]") {
    if (open === undefined) return `a ${char} that closes nothing`;
    const close = open === "{" ? "}" : "]";
    return char === close ? "a value is missing" : `a ${close} is missing before the ${char}`;
  }
  if (char === "'") return "' in place of \"";
  // A token that was cut: the digits of 0755 are two numbers.
  if (wants === ", or close" && /[\w.]/.test(char) && /\d/.test(source.charAt(at - 1))) return "not a number in JSON";
  if (wants === ", or close") return "a comma is missing";
  if (char === '"') return stringHint(source.slice(at));
  if (wants.startsWith("key")) return 'a key needs " around it';
  if (open === undefined) return "the first character must be {";
  if (/^(?:[-+\d]|\.\d)/.test(source.slice(at, at + 2))) return "not a number in JSON";
  if (/^(?:true|false|null|none|yes|no|on|off|undefined|nan)\b/i.test(source.slice(at, at + 10))) {
    return "the words of JSON are true, false and null";
  }
  if (char === ",") return "a value is missing";
  return /[A-Za-z_$~./]/.test(char) ? 'a string needs " around it' : null;
}

/** Tells what is wrong with a string, which is the beginning of a text. */
function stringHint(text: string): string {
  // deno-lint-ignore no-control-regex -- JSON forbids control characters in strings
  const rest = text.slice(/^"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/.exec(text)![0].length);
  if (rest.startsWith("\\")) return "a \\ in a string is written \\\\";
  if (rest === "" || /^[\r\n]/.test(rest)) return 'a string must end with " on its line';
  return "a control character in a string, such as a tab";
}
