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

/** The least width of the last column, if others can be left out for it. */
const MIN_LAST = 24;

const CODES = { good: 32, busy: 33, bad: 31, quiet: 2 } as const;

/**
 * Formats a table with aligned columns. To fit the width, columns that can be spared are left out, and the last column is
 * shortened. Widths are columns of a terminal, of which a character takes none, one or two.
 *
 * @param head The titles of the columns.
 * @param rows The cells, as many in each row as there are titles.
 * @param width The width of a line.
 * @param hasColor Whether to use colors.
 * @param spare The titles of the columns that can be spared, in this order.
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { width, hasColor }: { readonly width: number; readonly hasColor: boolean },
  spare: readonly string[],
): string {
  const all = [head.map((text): Cell => ({ text, tone: "quiet" })), ...rows];
  let columns = head.map((title, index) => ({
    title,
    index,
    width: Math.max(...all.map((row) => unicodeWidth(row[index]!.text))),
  }));
  const last = columns.pop()!;
  const left = () => width - columns.reduce((sum, column) => sum + column.width + 2, 0);
  for (const title of spare) {
    if (left() >= Math.min(MIN_LAST, last.width)) break;
    columns = columns.filter((column) => column.title !== title);
  }
  const lastWidth = Math.max(1, left());
  return all.map((row) => {
    const shown = (text: string, tone: Tone = null) =>
      hasColor && tone !== null ? `\x1b[${CODES[tone]}m${text}\x1b[0m` : text;
    const cells = columns.map(({ index, width }) => {
      const { text, tone } = row[index]!;
      return shown(text, tone) + " ".repeat(width - unicodeWidth(text));
    });
    const { text, tone } = row[last.index]!;
    return [...cells, shown(shortened(text, lastWidth), tone)].join("  ").trimEnd();
  }).join("\n");
}
