const TAB = 0x09;
const DEL = 0x7f;

/** The first byte of U+0080 to U+009F in UTF-8. These are the control characters beyond ASCII. */
const C1_LEAD = 0xc2;

/** The range of the second byte of a character, by its first byte; 0x80 to 0xbf after all other first bytes. */
const SECOND: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

/** The length of the longest escape. */
const MAX_ESCAPE = 6;

/**
 * Makes a line safe to show on a terminal. Control characters except tabs become escapes such as `\u001b`. A byte from
 * 0x80 to 0x9f that is not part of a UTF-8 character becomes an escape such as `\x9b`, because 8-bit terminals treat it
 * as a control character. All other bytes stay as they are.
 *
 * @param line What a program wrote, whether it is UTF-8 or not.
 * @returns The escaped line; the same array if there was nothing to escape.
 */
export function visibleBytes(line: Uint8Array): Uint8Array {
  let at = nextControl(line, 0);
  if (at === line.length) return line;
  const shown = new Uint8Array(at + MAX_ESCAPE * (line.length - at));
  let filled = 0;
  for (let start = 0;;) {
    shown.set(line.subarray(start, at), filled);
    filled += at - start;
    if (at === line.length) return shown.subarray(0, filled);
    for (const character of escapeOf(line, at)) shown[filled++] = character.charCodeAt(0);
    start = at + characterLength(line, at);
    at = nextControl(line, start);
  }
}

/** Returns the position of the next control character, or the end. A character must begin at `from`. */
function nextControl(line: Uint8Array, from: number): number {
  let at = from;
  while (at < line.length && !isControl(line, at)) at += characterLength(line, at);
  return at;
}

/** Returns whether a control character begins at a position. A UTF-8 character never begins with 0x80 to 0x9f. */
function isControl(line: Uint8Array, at: number): boolean {
  const byte = line[at]!;
  if (byte < 0xa0) return byte < 0x20 ? byte !== TAB : byte >= DEL;
  return byte === C1_LEAD && isBetween(line[at + 1], 0x80, 0x9f);
}

function escapeOf(line: Uint8Array, at: number): string {
  const byte = line[at]!;
  const code = byte === C1_LEAD ? line[at + 1]! : byte;
  return `${byte === code && byte > DEL ? "\\x" : "\\u00"}${code.toString(16).padStart(2, "0")}`;
}

/** Returns the length of the UTF-8 character at a position, in bytes; 1 if it is not UTF-8 (Unicode, table 3-7). */
function characterLength(line: Uint8Array, at: number): number {
  const lead = line[at]!;
  if (lead < 0xc2 || lead > 0xf4) return 1;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The range excludes overlong forms, surrogates, and everything beyond U+10FFFF.
  const [least, most] = SECOND.get(lead) ?? [0x80, 0xbf];
  if (!isBetween(line[at + 1], least, most)) return 1;
  for (let next = at + 2; next < at + length; next++) if (!isBetween(line[next], 0x80, 0xbf)) return 1;
  return length;
}

function isBetween(byte: number | undefined, least: number, most: number): boolean {
  return byte !== undefined && byte >= least && byte <= most;
}
