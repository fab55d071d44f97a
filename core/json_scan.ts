const TOKEN =
  // deno-lint-ignore no-control-regex -- JSON forbids control characters in strings
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;

/** What can come next in JSON. */
type Wants = "value" | "value or ]" | "key" | "key or }" | ":" | ", or close" | "end";

/** Where a text stops being JSON, and whether that is its end. */
export interface JsonEnd {
  /** The position. */
  readonly at: number;
  /** Whether the whole text is JSON. */
  readonly isWhole: boolean;
  /** What was expected there. */
  readonly wants: Wants;
  /** The bracket that is open there. Undefined if none is. */
  readonly open: "{" | "[" | undefined;
}

/** Scans a text up to the place where it stops being JSON. `take` gets each token and the position where it begins. */
export function scanJson(source: string, take: (token: string, at: number) => void = () => {}): JsonEnd {
  const open: ("{" | "[")[] = [];
  let wants: Wants = "value";
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) break;
    const [text, mark, string] = match;
    const afterValue = open.length === 0 ? "end" : ", or close";
    if ((mark === "{" || mark === "[") && wants.startsWith("value")) {
      open.push(mark);
      wants = mark === "{" ? "key or }" : "value or ]";
    } else if (
      mark === "}" && open.at(-1) === "{" && (wants === "key or }" || wants === ", or close") ||
      mark === "]" && open.at(-1) === "[" && (wants === "value or ]" || wants === ", or close")
    ) {
      open.pop();
      wants = open.length === 0 ? "end" : ", or close";
    } else if (mark === "," && wants === ", or close") {
      wants = open.at(-1) === "{" ? "key" : "value";
    } else if (mark === ":" && wants === ":") {
      wants = "value";
    } else if (string !== undefined && wants.startsWith("key")) {
      wants = ":";
    } else if (mark === undefined && wants.startsWith("value")) {
      wants = afterValue;
    } else break;
    at += text.length;
    const token = text.trimStart();
    take(token, at - token.length);
  }
  while (" \t\n\r".includes(source.charAt(at)) && at < source.length) at++;
  return { at, isWhole: wants === "end" && at === source.length, wants, open: open.at(-1) };
}

/**
 * Finds the place where a text stops being JSON, as `line 3, column 7`, both counted from 1. Returns null if the whole
 * text is JSON.
 *
 * The errors of `JSON.parse` quote the text, which may be a secret, and do not always give the place. V8 also keeps the
 * whole text of each error in memory.
 */
export function whereNotJson(source: string): string | null {
  const { at, isWhole } = scanJson(source);
  if (isWhole) return null;
  const { line, column } = placeAt(source, at);
  return `line ${line}, column ${column}`;
}

/** A place in a text, counted from 1. */
export interface Place {
  /** The line. */
  readonly line: number;
  /** The column, in UTF-16 units. */
  readonly column: number;
}

/** Returns the place of a position in a text. */
export function placeAt(source: string, at: number): Place {
  const lines = source.slice(0, at).split("\n");
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}
