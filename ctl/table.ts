import { unicodeWidth } from "@std/cli/unicode-width";
import { shortened } from "./shortened.ts";

/** How a cell is emphasized. */
export type Tone = "good" | "busy" | "bad" | "quiet" | null;

/** A cell of a table. */
export interface Cell {
  /** Its text. */
  readonly text: string;
  /** How it is emphasized, where colors can be shown. */
  readonly tone?: Tone;
}

/** The least width of the last column. */
const MIN_LAST = 12;

const CODES = { good: 32, busy: 33, bad: 31, quiet: 2 } as const;

/**
 * Formats a table with aligned columns. Only the last column is shortened to fit the width. Widths are columns of a
 * terminal, of which a character takes none, one or two.
 *
 * @param head The titles of the columns.
 * @param rows The cells, as many in each row as there are titles.
 * @param width The width of a line.
 * @param hasColor Whether to use colors.
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { width, hasColor }: { readonly width: number; readonly hasColor: boolean },
): string {
  const all = [head.map((text): Cell => ({ text, tone: "quiet" })), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => unicodeWidth(row[column]!.text))));
  const before = widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0);
  const last = Math.max(MIN_LAST, width - before);
  return all.map((row) => {
    const cells = row.map(({ text, tone = null }, column) => {
      const isLast = column === head.length - 1;
      const shown = isLast ? shortened(text, last) : text;
      const padding = isLast ? "" : " ".repeat(widths[column]! - unicodeWidth(shown));
      return (hasColor && tone !== null ? `\x1b[${CODES[tone]}m${shown}\x1b[0m` : shown) + padding;
    });
    return cells.join("  ").trimEnd();
  }).join("\n");
}
