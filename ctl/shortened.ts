import { unicodeWidth } from "@std/cli/unicode-width";

/** Returns a text, or its beginning and `…`, so that it takes at most `width` columns of a terminal. */
export function shortened(text: string, width: number): string {
  if (unicodeWidth(text) <= width) return text;
  let begin = "";
  let left = width - 1;
  for (const character of text) {
    left -= unicodeWidth(character);
    if (left < 0) break;
    begin += character;
  }
  return `${begin}…`;
}
